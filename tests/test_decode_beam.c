// Beam search against a plain one on the host that is given the device's own log probabilities:
// every hypothesis of every step, and the bits of all figures. VKSEQ_LONG_TESTS: more of all.
#include "base/check.h"
#include "base/rng.h"
#include "support/gpu.h"
#include "support/plain_search.h"
#include "support/random_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_SENTENCES = 1000, MAX_SOURCE = 12, MAX_PREFIX = 3 };

static bool is_long(void) {
    return getenv("VKSEQ_LONG_TESTS") != NULL;
}

struct text {
    struct sentence sentences[MAX_SENTENCES];
    uint32_t ids[MAX_SENTENCES][MAX_SOURCE], prefixes[MAX_SENTENCES][MAX_PREFIX];
    uint32_t num;
};

// Random sentences; some force the beginning of their translation when there are to be prefixes.
static void make_text(uint32_t seed, bool has_prefixes, struct text *text) {
    struct rng rng = {.seed = seed};
    text->num = is_long() ? MAX_SENTENCES : 100;
    for (uint32_t i = 0; i < text->num; i++) {
        uint32_t num_ids = 1 + rng_below(&rng, MAX_SOURCE);
        uint32_t num_prefix = has_prefixes ? rng_below(&rng, MAX_PREFIX + 1) : 0;
        for (uint32_t j = 0; j < MAX_SOURCE; j++)
            text->ids[i][j] = j + 1 < num_ids ? 1 + rng_below(&rng, RANDOM_MODEL_VOCAB - 2) : 0;
        for (uint32_t j = 0; j < MAX_PREFIX; j++)
            text->prefixes[i][j] = 1 + rng_below(&rng, RANDOM_MODEL_VOCAB - 2);
        text->sentences[i] = (struct sentence){
            .ids = text->ids[i], .num_ids = num_ids, .prefix = {text->prefixes[i], num_prefix}};
    }
}

static const struct token_list suppressed[] = {{(const uint32_t[]){5}, 1},
                                               {(const uint32_t[]){17}, 1},
                                               {(const uint32_t[]){30}, 1},
                                               {(const uint32_t[]){31, 44}, 2},
                                               {(const uint32_t[]){9, 9, 9}, 3}};

// Suppresses the first of the lists.
static void open_search(struct vks_model *model, const struct vks_translator_params *params,
                        uint32_t num_suppressed, struct search *search) {
    struct vks_translator_params complete = *params;
    complete.log = &gpu_log;
    assert_int_equal(search_complete_params(&model->config, &complete), VKS_OK);
    const struct search_params search_params = {.models = &model,
                                                .num_models = 1,
                                                .translator = &complete,
                                                .suppressed = suppressed,
                                                .num_suppressed = num_suppressed};
    assert_int_equal(search_init(&search_params, search), VKS_OK);
}

static struct vks_translation *run_search(struct search *search, const struct sentence *sentences,
                                          uint32_t num) {
    struct vks_translation *translations = calloc(num, sizeof *translations);
    assert_non_null(translations);
    assert_int_equal(search_run(search, sentences, num, translations), VKS_OK);
    return translations;
}

// Compares one search, with num_slots steps given to the device at once.
static void check_search(struct vks_model *model, const struct text *text,
                         const struct vks_translator_params *params, uint32_t num_suppressed,
                         uint32_t num_slots) {
    struct search search;
    struct plain_search plain;
    uint32_t num_ended = 0;
    open_search(model, params, num_suppressed, &search);
    search.decoder.num_slots = num_slots;
    plain_search_init(&search, text->sentences, text->num, &plain);
    plain.suppressed = suppressed;
    plain.num_suppressed = num_suppressed;
    struct vks_translation *translations = run_search(&search, text->sentences, text->num);
    for (uint32_t i = 0; i < text->num; i++) {
        plain_search_check(&plain, i, &translations[i]);
        num_ended += plain.sentences[i].num_steps < plain.sentences[i].max_steps;
    }
    assert_true(num_ended > 0 && num_ended < text->num);
    vks_translations_free(translations, text->num);
    plain_search_finish(&plain);
    search_finish(&search);
}

static const enum vks_search rules[] = {VKS_SEARCH_MARIAN, VKS_SEARCH_HF, VKS_SEARCH_EXACT,
                                        VKS_SEARCH_HF_EARLY};

static void every_beam_equals_the_plain_search(void **state) {
    struct text *text = calloc(1, sizeof *text);
    struct vks_model *model = random_model_create(*state, false, 7);
    assert_non_null(text);
    make_text(3, false, text);
    for (uint32_t beam = 1; beam <= PLAIN_MAX_BEAM; beam++) {
        for (uint32_t i = 0; i < COUNT_OF(rules); i++) {
            const struct vks_translator_params params = {
                .beam_size = beam,
                .n_best = beam - beam / 3,
                .search = rules[i],
                .max_length_factor = 2.0f,
                .normalize = (float[]){0.0f, 0.6f, 1.0f, 1.3f}[beam % 4],
                .word_penalty = (float[]){0.0f, 0.25f, -0.25f}[beam % 3]};
            if (is_long() || beam % COUNT_OF(rules) == i)
                check_search(model, text, &params, 0, 1 + beam % 2);
        }
    }
    free(text);
    vks_model_destroy(&model);
}

// More tokens than one stretch of the vocabulary has.
static void a_large_vocabulary_equals_the_plain_search(void **state) {
    static const struct vks_model_config config = {.source_vocab = 9001,
                                                   .target_vocab = 9001,
                                                   .width = 16,
                                                   .num_heads = 2,
                                                   .encoder_layers = 1,
                                                   .decoder_layers = 1};
    enum { NUM = 4 };
    const struct vks_device *device = *state;
    if (device->info.max_binding_bytes < (uint64_t)WINDOW_ROWS * 9001 * sizeof(float))
        skip(); // it sees too little of a matrix
    struct text *text = calloc(1, sizeof *text);
    struct vks_model *model;
    assert_non_null(text);
    assert_int_equal(vks_model_create(*state, &config, 3, &model), VKS_OK);
    make_text(6, true, text);
    for (uint32_t i = 0; i < COUNT_OF(rules); i++) {
        const struct vks_translator_params params = {
            .beam_size = 5, .n_best = 5, .search = rules[i], .no_repeat_ngram = 1};
        struct search search;
        struct plain_search plain;
        open_search(model, &params, 0, &search);
        plain_search_init(&search, text->sentences, NUM, &plain);
        struct vks_translation *translations = run_search(&search, text->sentences, NUM);
        for (uint32_t j = 0; j < NUM; j++)
            plain_search_check(&plain, j, &translations[j]);
        vks_translations_free(translations, NUM);
        plain_search_finish(&plain);
        search_finish(&search);
    }
    free(text);
    vks_model_destroy(&model);
}

// The highest logits of sentences, step by step.
struct greedy {
    uint32_t ids[MAX_SENTENCES][PLAIN_MAX_STEPS], num[MAX_SENTENCES];
    float sums[MAX_SENTENCES];
};

static void take_highest(void *user, const struct search_step *step) {
    struct greedy *greedy = user;
    struct step_log_probs rows = step->log_probs;
    for (uint32_t i = 0; i < step->num_sentences; i++) {
        size_t idx = step->sentence_indices[i];
        uint32_t highest = 0;
        if (step->beams[i]->num_alive == 0)
            continue;
        for (uint32_t token = 1; token + 1 < RANDOM_MODEL_VOCAB; token++) // but the pad
            if (rows.logits[token] > rows.logits[highest])
                highest = token;
        greedy->ids[idx][greedy->num[idx]++] = highest;
        greedy->sums[idx] += rows.logits[highest] - *rows.log_sums;
        rows.logits += rows.stride;
        rows.log_sums++;
    }
}

static void a_beam_of_one_is_greedy_search(void **state) {
    struct text *text = calloc(1, sizeof *text);
    struct greedy *greedy = calloc(1, sizeof *greedy);
    struct vks_model *model = random_model_create(*state, true, 9);
    assert_true(text && greedy);
    make_text(21, false, text);
    for (uint32_t rule = 0; rule < COUNT_OF(rules); rule++) {
        const struct search_observer observer = {.observe = take_highest, .user = greedy};
        struct search search;
        memset(greedy, 0, sizeof *greedy);
        open_search(model,
                    &(struct vks_translator_params){
                        .beam_size = 1, .normalize = 1.0f, .search = rules[rule]},
                    0, &search);
        search.decoder.with_log_probs = true;
        search.observer = &observer;
        struct vks_translation *translations = run_search(&search, text->sentences, text->num);
        for (uint32_t i = 0; i < text->num; i++) {
            const struct vks_hypothesis *found = &translations[i].hypotheses[0];
            bool has_eos = greedy->ids[i][greedy->num[i] - 1] == 0;
            assert_int_equal(found->num_ids, greedy->num[i] - has_eos);
            assert_memory_equal(found->ids, greedy->ids[i], found->num_ids * sizeof *found->ids);
            assert_memory_equal(&found->log_prob, &greedy->sums[i], sizeof(float));
        }
        vks_translations_free(translations, text->num);
        search_finish(&search);
    }
    free(text);
    free(greedy);
    vks_model_destroy(&model);
}

static void constraints_equal_the_plain_search(void **state) {
    static const struct {
        struct vks_translator_params params;
        uint32_t num_suppressed;
    } variants[] = {
        {{.min_length = 5}, 0},
        {{.no_repeat_ngram = 1}, 0},
        {{.no_repeat_ngram = 2}, 0},
        {{.no_repeat_ngram = 3}, 0},
        {{.repetition_penalty = 1.4f}, 0},
        {{.repetition_penalty = 0.8f}, 0},
        {{.min_length = 0}, COUNT_OF(suppressed)},
        {{.min_length = 3, .no_repeat_ngram = 2, .repetition_penalty = 1.2f}, 2},
    };
    struct text *text = calloc(1, sizeof *text);
    struct vks_model *model = random_model_create(*state, false, 7);
    assert_non_null(text);
    for (uint32_t i = 0; i < COUNT_OF(variants); i++) {
        struct vks_translator_params params = variants[i].params;
        make_text(4 + i, i % 2 == 1, text);
        params.beam_size = 1 + i % 5;
        params.n_best = params.beam_size;
        params.search = rules[i % COUNT_OF(rules)];
        params.max_length_factor = 2.0f;
        check_search(model, text, &params, variants[i].num_suppressed, 1 + i % 2);
    }
    free(text);
    vks_model_destroy(&model);
}

static void forced_beginnings_are_kept(void **state) {
    struct text *text = calloc(1, sizeof *text);
    struct vks_model *model = random_model_create(*state, false, 7);
    assert_non_null(text);
    make_text(30, true, text);
    struct search search;
    open_search(model, &(struct vks_translator_params){.beam_size = 3}, 0, &search);
    struct vks_translation *translations = run_search(&search, text->sentences, text->num);
    for (uint32_t i = 0; i < text->num; i++) {
        const struct vks_hypothesis *best = &translations[i].hypotheses[0];
        assert_true(best->num_ids >= text->sentences[i].prefix.num_ids);
        assert_memory_equal(best->ids, text->prefixes[i],
                            text->sentences[i].prefix.num_ids * sizeof *best->ids);
    }
    vks_translations_free(translations, text->num);
    search_finish(&search);
    free(text);
    vks_model_destroy(&model);
}

static void assert_same_bits(const struct vks_translation *a, const struct vks_translation *b) {
    assert_int_equal(a->num_hypotheses, b->num_hypotheses);
    for (size_t i = 0; i < a->num_hypotheses; i++) {
        const struct vks_hypothesis *x = &a->hypotheses[i], *y = &b->hypotheses[i];
        assert_int_equal(x->num_ids, y->num_ids);
        assert_memory_equal(x->ids, y->ids, x->num_ids * sizeof *x->ids);
        assert_memory_equal(&x->log_prob, &y->log_prob, sizeof x->log_prob);
        assert_memory_equal(&x->score, &y->score, sizeof x->score);
    }
}

enum { NUM_SHUFFLED = 24 };

// Translates the first sentences in another order, in batches of another size.
static void check_shuffle(struct vks_model *model, const struct vks_translator_params *params,
                          const struct text *text, const struct vks_translation *expected,
                          struct rng *rng) {
    struct vks_translator_params other = *params;
    struct sentence shuffled[NUM_SHUFFLED];
    uint32_t order[NUM_SHUFFLED];
    struct search search;
    for (uint32_t i = 0; i < NUM_SHUFFLED; i++) {
        uint32_t place = rng_below(rng, i + 1);
        order[i] = order[place];
        order[place] = i;
    }
    other.mini_batch = 1 + rng_below(rng, NUM_SHUFFLED);
    open_search(model, &other, 0, &search);
    search.decoder.num_slots = 1 + rng_below(rng, 2);
    for (uint32_t i = 0; i < NUM_SHUFFLED; i++)
        shuffled[i] = text->sentences[order[i]];
    struct vks_translation *translations = run_search(&search, shuffled, NUM_SHUFFLED);
    for (uint32_t i = 0; i < NUM_SHUFFLED; i++)
        assert_same_bits(&translations[i], &expected[order[i]]);
    vks_translations_free(translations, NUM_SHUFFLED);
    search_finish(&search);
}

static void a_shuffle_changes_no_bit(void **state) {
    const struct vks_translator_params variants[] = {
        {.beam_size = 4, .n_best = 4, .normalize = 0.6f},
        {.beam_size = 1},
        {.beam_size = 3, .n_best = 3, .search = VKS_SEARCH_HF, .no_repeat_ngram = 2},
        {.beam_size = 2, .n_best = 2, .sampling = VKS_SAMPLING_FULL, .seed = 5},
        {.sampling = VKS_SAMPLING_TOP_K, .sampling_k = 7},
        {.sampling = VKS_SAMPLING_NUCLEUS, .sampling_mass = 0.7f},
    };
    struct text *text = calloc(1, sizeof *text);
    struct vks_model *model = random_model_create(*state, false, 8);
    struct rng rng = {.seed = 11};
    assert_non_null(text);
    make_text(5, true, text);
    uint32_t num_shuffles = is_long() ? 500 : 20;
    struct vks_translation *expected[COUNT_OF(variants)];
    for (uint32_t i = 0; i < COUNT_OF(variants); i++) {
        struct search search;
        open_search(model, &variants[i], 0, &search);
        expected[i] = run_search(&search, text->sentences, NUM_SHUFFLED);
        search_finish(&search);
    }
    for (uint32_t i = 0; i < num_shuffles; i++) {
        uint32_t variant = i % COUNT_OF(variants);
        check_shuffle(model, &variants[variant], text, expected[variant], &rng);
    }
    for (uint32_t i = 0; i < COUNT_OF(variants); i++)
        vks_translations_free(expected[i], NUM_SHUFFLED);
    free(text);
    vks_model_destroy(&model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_beam_equals_the_plain_search),
        cmocka_unit_test(a_large_vocabulary_equals_the_plain_search),
        cmocka_unit_test(a_beam_of_one_is_greedy_search),
        cmocka_unit_test(constraints_equal_the_plain_search),
        cmocka_unit_test(forced_beginnings_are_kept),
        cmocka_unit_test(a_shuffle_changes_no_bit),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
