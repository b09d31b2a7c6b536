// Searches over token ids: beam search against a plain reference that knows whole prefixes only,
// greedy search against PyTorch, and the same bits whatever is translated at the same time.
#include "base/check.h"
#include "base/rng.h"
#include "decode/search.h"
#include "model/loss.h"
#include "support/golden.h"
#include "support/gpu.h"
#include "support/random_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NUM_SENTENCES = 30, MAX_SOURCE = 8, MAX_STEPS = 2 * MAX_SOURCE, MAX_BEAM = 5 };

// Log-probabilities may differ by rounding; a decision nearer than that may fall either way.
static const double TOLERANCE = 1e-4;
static const uint32_t MAX_UNDECIDED = 3;

struct prefix {
    uint32_t ids[MAX_STEPS + 1]; // the start, then tokens; </s> left out
    uint32_t num, length;        // length: tokens of the translation, </s> included
    double log_prob;
};

struct reference {
    struct loss_program loss;
    const struct vks_model_config *config;
    const struct vks_translator_params *params;
    struct prefix alive[MAX_BEAM], finished[MAX_BEAM];
    uint32_t num_alive, num_finished;
    double margin; // of the closest decision
};

static void reference_open(struct vks_model *model, struct reference *reference) {
    memset(reference, 0, sizeof *reference);
    reference->config = &model->config;
    const struct loss_params params = {
        .config = &model->config,
        .weights = &model->weights,
        .capacity = {MAX_BEAM * MAX_SOURCE, MAX_BEAM * (MAX_STEPS + 1), MAX_BEAM},
        .with_logits = true,
        .program = {.num_slots = 1}};
    assert_int_equal(loss_program_init(model->device, &params, &reference->loss), VKS_OK);
}

// Runs all prefixes that are alive; ends[i] is the row of the last token of prefix i.
static const float *run_prefixes(struct reference *r, const struct sentence *source,
                                 uint32_t ends[MAX_BEAM]) {
    uint32_t src[MAX_BEAM * MAX_SOURCE], src_offsets[MAX_BEAM + 1] = {0};
    uint32_t tgt[MAX_BEAM * (MAX_STEPS + 1)], tgt_offsets[MAX_BEAM + 1] = {0};
    uint32_t labels[MAX_BEAM * (MAX_STEPS + 1)] = {0};
    double total;
    for (uint32_t i = 0; i < r->num_alive; i++) {
        const struct prefix *prefix = &r->alive[i];
        memcpy(src + src_offsets[i], source->ids, source->num_ids * sizeof *src);
        memcpy(tgt + tgt_offsets[i], prefix->ids, prefix->num * sizeof *tgt);
        src_offsets[i + 1] = src_offsets[i] + source->num_ids;
        tgt_offsets[i + 1] = tgt_offsets[i] + prefix->num;
        ends[i] = tgt_offsets[i + 1] - 1;
    }
    const struct loss_batch batch = {.source = {src, src_offsets, r->num_alive},
                                     .target = {tgt, tgt_offsets, r->num_alive},
                                     .labels = labels};
    assert_int_equal(loss_program_submit(&r->loss, 0, &batch, &(struct loss_step){0}), VKS_OK);
    assert_int_equal(loss_program_wait(&r->loss, 0, &total), VKS_OK);
    return program_output(r->loss.program, 0, r->loss.logits);
}

struct option {
    double log_prob;
    uint32_t prefix, token;
};

static int better_first(const void *a_ref, const void *b_ref) {
    const struct option *a = a_ref, *b = b_ref;
    if (a->log_prob != b->log_prob)
        return a->log_prob > b->log_prob ? -1 : 1;
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    return a->token < b->token ? -1 : a->token > b->token;
}

static void add_options(const struct reference *r, const float *logits, uint32_t prefix,
                        struct option *options) {
    uint32_t vocab = r->config->target_vocab;
    double sum = 0;
    for (uint32_t i = 0; i < vocab; i++)
        if (i != r->config->pad_id)
            sum += exp((double)logits[i]);
    for (uint32_t i = 0; i < vocab; i++)
        options[i] = (struct option){i == r->config->pad_id
                                         ? -HUGE_VAL
                                         : r->alive[prefix].log_prob + (double)logits[i] - log(sum),
                                     prefix, i};
}

static void reference_step(struct reference *r, const struct sentence *source) {
    static struct option options[MAX_BEAM * RANDOM_MODEL_VOCAB];
    uint32_t ends[MAX_BEAM], vocab = r->config->target_vocab, num_next = 0;
    uint32_t num = r->num_alive * vocab, wanted = r->params->beam_size - r->num_finished;
    const float *logits = run_prefixes(r, source, ends);
    for (uint32_t i = 0; i < r->num_alive; i++)
        add_options(r, logits + (size_t)ends[i] * r->loss.logits->stride, i, options + i * vocab);
    qsort(options, num, sizeof *options, better_first);
    r->margin = fmin(r->margin, options[wanted - 1].log_prob - options[wanted].log_prob);
    struct prefix next[MAX_BEAM];
    for (uint32_t i = 0; i < wanted; i++) {
        struct prefix prefix = r->alive[options[i].prefix];
        prefix.log_prob = options[i].log_prob;
        prefix.length++;
        if (options[i].token == r->config->eos_id) {
            r->finished[r->num_finished++] = prefix;
        } else {
            prefix.ids[prefix.num++] = options[i].token;
            next[num_next++] = prefix;
        }
    }
    memcpy(r->alive, next, num_next * sizeof *next);
    r->num_alive = num_next;
}

static double prefix_score(const struct reference *r, const struct prefix *prefix) {
    return (prefix->log_prob - (double)r->params->word_penalty * prefix->length) /
           pow(prefix->length, (double)r->params->normalize);
}

// Leaves the finished prefixes, best first.
static void reference_search(struct reference *r, const struct sentence *source) {
    uint32_t max_steps = (uint32_t)ceil((double)r->params->max_length_factor * source->num_ids);
    r->num_alive = 1;
    r->num_finished = 0;
    r->margin = INFINITY;
    r->alive[0] = (struct prefix){.ids = {r->config->pad_id}, .num = 1};
    for (uint32_t step = 0; step < max_steps && r->num_alive > 0; step++)
        reference_step(r, source);
    for (uint32_t i = 0; i < r->num_alive; i++)
        r->finished[r->num_finished++] = r->alive[i];
    for (uint32_t i = 1; i < r->num_finished; i++)
        for (uint32_t j = i; j > 0; j--) {
            struct prefix *a = &r->finished[j - 1], *b = &r->finished[j];
            double difference = prefix_score(r, a) - prefix_score(r, b);
            if (difference >= 0)
                break;
            struct prefix swap = *a;
            *a = *b;
            *b = swap;
        }
    for (uint32_t i = 1; i < r->num_finished; i++)
        r->margin = fmin(r->margin,
                         prefix_score(r, &r->finished[i - 1]) - prefix_score(r, &r->finished[i]));
}

static void make_sentences(uint32_t seed, uint32_t max_ids, struct sentence *sentences,
                           uint32_t num) {
    struct rng rng = {.seed = seed};
    for (uint32_t i = 0; i < num; i++) {
        uint32_t num_ids = 1 + rng_below(&rng, max_ids);
        sentences[i] =
            (struct sentence){.ids = calloc(num_ids, sizeof(uint32_t)), .num_ids = num_ids};
        assert_non_null(sentences[i].ids);
        for (uint32_t j = 0; j + 1 < num_ids; j++)
            sentences[i].ids[j] = 1 + rng_below(&rng, RANDOM_MODEL_VOCAB - 2);
    }
}

static void free_sentences(struct sentence *sentences, uint32_t num) {
    for (uint32_t i = 0; i < num; i++)
        free(sentences[i].ids);
}

static void open_search(struct vks_model *model, const struct vks_translator_params *params,
                        struct search *search) {
    struct vks_translator_params complete = *params;
    complete.log = &gpu_log;
    assert_int_equal(search_complete_params(&model->config, &complete), VKS_OK);
    const struct search_params search_params = {
        .models = &model, .num_models = 1, .translator = &complete};
    assert_int_equal(search_init(&search_params, search), VKS_OK);
}

static struct vks_translation *run_search(struct search *search, const struct sentence *sentences,
                                          uint32_t num) {
    struct vks_translation *translations = calloc(num, sizeof *translations);
    assert_non_null(translations);
    assert_int_equal(search_run(search, sentences, num, translations), VKS_OK);
    return translations;
}

static bool same_ids(const struct vks_hypothesis *found, const struct prefix *expected) {
    return found->num_ids == expected->num - 1 &&
           memcmp(found->ids, expected->ids + 1, found->num_ids * sizeof *found->ids) == 0;
}

static void check_translation(const struct reference *r,
                              const struct vks_translation *translation) {
    assert_int_equal(translation->num_hypotheses, r->params->n_best);
    for (uint32_t i = 0; i < translation->num_hypotheses; i++) {
        const struct vks_hypothesis *found = &translation->hypotheses[i];
        assert_true(same_ids(found, &r->finished[i]));
        assert_true(fabs((double)found->log_prob - r->finished[i].log_prob) < TOLERANCE);
        assert_true(fabs((double)found->score - prefix_score(r, &r->finished[i])) < TOLERANCE);
    }
}

static void check_searches(struct vks_device *device, const struct vks_model_config *config) {
    static const struct vks_translator_params variants[] = {
        {.beam_size = 1, .max_length_factor = 2.0f},
        {.beam_size = 2, .n_best = 2, .max_length_factor = 2.0f},
        {.beam_size = 3, .n_best = 3, .max_length_factor = 1.5f, .normalize = 0.6f},
        {.beam_size = 5,
         .n_best = 5,
         .max_length_factor = 2.0f,
         .normalize = 1.0f,
         .word_penalty = 0.3f}};
    struct vks_model *model = random_model_create_as(device, config, 7);
    struct sentence sentences[NUM_SENTENCES];
    struct reference *reference = calloc(1, sizeof *reference);
    assert_non_null(reference);
    make_sentences(3, MAX_SOURCE, sentences, NUM_SENTENCES);
    reference_open(model, reference);
    for (size_t i = 0; i < COUNT_OF(variants); i++) {
        struct search search;
        uint32_t num_undecided = 0, num_ended = 0;
        open_search(model, &variants[i], &search);
        struct vks_translation *translations = run_search(&search, sentences, NUM_SENTENCES);
        reference->params = &search.params;
        for (uint32_t j = 0; j < NUM_SENTENCES; j++) {
            reference_search(reference, &sentences[j]);
            if (reference->margin < TOLERANCE)
                num_undecided++;
            else
                check_translation(reference, &translations[j]);
            num_ended += reference->finished[0].num == reference->finished[0].length;
        }
        print_message("beam %u: %u of %u undecided, %u end with </s>\n", variants[i].beam_size,
                      num_undecided, NUM_SENTENCES, num_ended);
        assert_true(num_undecided <= MAX_UNDECIDED);
        assert_true(num_ended > 0 && num_ended < NUM_SENTENCES);
        vks_translations_free(translations, NUM_SENTENCES);
        search_finish(&search);
    }
    loss_program_finish(&reference->loss);
    free(reference);
    free_sentences(sentences, NUM_SENTENCES);
    vks_model_destroy(&model);
}

static void post_norm_search_equals_the_reference(void **state) {
    check_searches(*state, &(struct vks_model_config){0});
}

static void pre_norm_search_equals_the_reference(void **state) {
    check_searches(*state, &(struct vks_model_config){.pre_norm = true});
}

// The second layer is the first one again.
static void ssru_search_equals_the_reference(void **state) {
    check_searches(*state, &(struct vks_model_config){.decoder_cell = VKS_CELL_SSRU,
                                                      .rnn_projection = true,
                                                      .output_bias = true,
                                                      .tied_layers = {0, 1}});
}

static void search_without_a_final_norm_equals_the_reference(void **state) {
    check_searches(*state, &(struct vks_model_config){.decoder_cell = VKS_CELL_SSRU,
                                                      .pre_norm = true,
                                                      .no_final_norm = true});
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

enum { NUM_TOGETHER = 18, LONG_SOURCE = 40 };

static void check_alone(struct vks_model *model, const struct vks_translator_params *params,
                        const struct sentence *sentences, const struct vks_translation *together) {
    for (uint32_t i = 0; i < NUM_TOGETHER; i++) {
        struct search search;
        open_search(model, params, &search);
        struct vks_translation *alone = run_search(&search, &sentences[i], 1);
        assert_same_bits(&alone[0], &together[i]);
        vks_translations_free(alone, 1);
        search_finish(&search);
    }
}

static void check_shuffled(struct vks_model *model, const struct vks_translator_params *params,
                           const struct sentence *sentences,
                           const struct vks_translation *together) {
    struct vks_translator_params other = *params;
    struct search search;
    struct sentence shuffled[NUM_TOGETHER];
    other.mini_batch = 5;
    open_search(model, &other, &search);
    for (uint32_t i = 0; i < NUM_TOGETHER; i++)
        shuffled[i] = sentences[i * 7 % NUM_TOGETHER];
    struct vks_translation *translations = run_search(&search, shuffled, NUM_TOGETHER);
    for (uint32_t i = 0; i < NUM_TOGETHER; i++)
        assert_same_bits(&translations[i], &together[i * 7 % NUM_TOGETHER]);
    vks_translations_free(translations, NUM_TOGETHER);
    search_finish(&search);
}

static void check_batches(struct vks_device *device, const struct vks_model_config *config) {
    const struct vks_translator_params params = {.beam_size = 3, .n_best = 3, .normalize = 1.0f};
    struct vks_model *model = random_model_create_as(device, config, 8);
    struct sentence sentences[NUM_TOGETHER];
    struct search search;
    make_sentences(5, LONG_SOURCE, sentences, NUM_TOGETHER);
    open_search(model, &params, &search);
    struct vks_translation *together = run_search(&search, sentences, NUM_TOGETHER);
    check_alone(model, &params, sentences, together);
    check_shuffled(model, &params, sentences, together);
    vks_translations_free(together, NUM_TOGETHER);
    search_finish(&search);
    free_sentences(sentences, NUM_TOGETHER);
    vks_model_destroy(&model);
}

static void a_sentence_has_the_same_bits_in_any_batch(void **state) {
    check_batches(*state, &(struct vks_model_config){0});
}

static void cells_give_the_same_bits_in_any_batch(void **state) {
    check_batches(*state, &(struct vks_model_config){.decoder_cell = VKS_CELL_SSRU});
}

enum { NUM_GOLDEN = 5 };

static void check_greedy(struct vks_device *device, const char *path) {
    struct golden golden;
    struct search search;
    struct sentence sources[NUM_GOLDEN] = {0};
    size_t num_src, num_offsets, num_greedy;
    golden_open(device, path, &golden);
    const int32_t *src = golden_ints(&golden, "src", &num_src);
    const int32_t *offsets = golden_ints(&golden, "src_offsets", &num_offsets);
    const int32_t *greedy = golden_ints(&golden, "greedy", &num_greedy);
    assert_int_equal(num_offsets, NUM_GOLDEN + 1);
    uint32_t max_greedy = (uint32_t)num_greedy / NUM_GOLDEN;
    for (uint32_t i = 0; i < NUM_GOLDEN; i++) {
        sources[i].num_ids = (uint32_t)(offsets[i + 1] - offsets[i]);
        sources[i].ids = malloc(sources[i].num_ids * sizeof(uint32_t));
        assert_non_null(sources[i].ids);
        memcpy(sources[i].ids, src + offsets[i], sources[i].num_ids * sizeof(uint32_t));
    }
    open_search(
        golden.model,
        &(struct vks_translator_params){.beam_size = 1, .max_length_factor = (float)max_greedy},
        &search);
    struct vks_translation *translations = run_search(&search, sources, NUM_GOLDEN);
    for (uint32_t i = 0; i < NUM_GOLDEN; i++) {
        const struct vks_hypothesis *found = &translations[i].hypotheses[0];
        const int32_t *expected = greedy + (size_t)i * max_greedy;
        for (uint32_t j = 0; j < max_greedy; j++) {
            int32_t id = j < found->num_ids    ? (int32_t)found->ids[j]
                         : j == found->num_ids ? (int32_t)golden.model->config.eos_id
                                               : -1;
            assert_int_equal(id, expected[j]);
        }
    }
    vks_translations_free(translations, NUM_GOLDEN);
    search_finish(&search);
    free_sentences(sources, NUM_GOLDEN);
    golden_close(&golden);
}

static void greedy_equals_pytorch(void **state) {
    check_greedy(*state, TEST_DATA_DIR "/golden/transformer/postnorm.safetensors");
    check_greedy(*state, TEST_DATA_DIR "/golden/transformer/prenorm.safetensors");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greedy_equals_pytorch),
        cmocka_unit_test(post_norm_search_equals_the_reference),
        cmocka_unit_test(pre_norm_search_equals_the_reference),
        cmocka_unit_test(ssru_search_equals_the_reference),
        cmocka_unit_test(search_without_a_final_norm_equals_the_reference),
        cmocka_unit_test(a_sentence_has_the_same_bits_in_any_batch),
        cmocka_unit_test(cells_give_the_same_bits_in_any_batch),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
