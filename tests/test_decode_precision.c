// Translation and scoring with activations, keys and values, and weights of 16 bits.
#include "number_translator.h"

#include "base/check.h"
#include "base/rng.h"
#include "decode/step_decoder.h"
#include "model/model_object.h"
#include "support/gpu.h"
#include "vkseq/translator.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { NUM_LINES = 14, MAX_WORDS = 12, BEAM = 3, MAX_FACTOR = 4 };

static const struct vks_tokenizer tokenizer = {.eos_id = 0};
static const enum vks_precision halves[] = {VKS_FLOAT16, VKS_BFLOAT16};

// How far a token's log probability may be from float32's, and from what the same weights give when
// all tokens go through at once: some last bits of 11, and of 8, of loud logits.
static const float NEAR[] = {[VKS_FLOAT16] = 0.02f, [VKS_BFLOAT16] = 0.16f};

// Lines of random words, some with none; to be freed.
static void make_lines(uint32_t seed, char *lines[NUM_LINES]) {
    struct rng rng = {.seed = seed};
    for (int i = 0; i < NUM_LINES; i++) {
        char *end = lines[i] = calloc(MAX_WORDS, 4);
        assert_non_null(end);
        uint32_t num_words = rng_below(&rng, MAX_WORDS);
        for (uint32_t j = 0; j < num_words; j++)
            end += sprintf(end, j ? " %u" : "%u", 1 + rng_below(&rng, RANDOM_MODEL_VOCAB - 2));
    }
}

static void free_lines(char *lines[NUM_LINES]) {
    for (int i = 0; i < NUM_LINES; i++)
        free(lines[i]);
}

static struct vks_translation *translate(struct vks_model *model,
                                         const struct vks_translator_params *params,
                                         const char *const *lines, size_t num_lines) {
    struct vks_translator *translator;
    struct vks_translation *translations;
    assert_int_equal(vks_translator_create(model, &tokenizer, params, &translator), VKS_OK);
    assert_int_equal(vks_translate(translator, lines, num_lines, &translations), VKS_OK);
    vks_translator_destroy(&translator);
    return translations;
}

static void assert_same(const struct vks_translation *a, const struct vks_translation *b) {
    assert_int_equal(a->num_hypotheses, b->num_hypotheses);
    for (size_t i = 0; i < a->num_hypotheses; i++) {
        const struct vks_hypothesis *x = &a->hypotheses[i], *y = &b->hypotheses[i];
        assert_string_equal(x->text, y->text);
        assert_memory_equal(&x->log_prob, &y->log_prob, sizeof x->log_prob);
        assert_memory_equal(&x->score, &y->score, sizeof x->score);
        assert_int_equal(x->num_word_scores, y->num_word_scores);
        if (x->num_word_scores)
            assert_memory_equal(x->word_scores, y->word_scores,
                                x->num_word_scores * sizeof *x->word_scores);
        if (x->alignment)
            assert_memory_equal(x->alignment, y->alignment,
                                x->num_ids * a->num_source_ids * sizeof *x->alignment);
    }
}

// All lines together; backwards, few at once; and each alone.
static void check_any_batch(struct vks_model *model, struct vks_translator_params params) {
    char *lines[NUM_LINES];
    const char *backwards[NUM_LINES];
    make_lines(4, lines);
    for (int i = 0; i < NUM_LINES; i++)
        backwards[i] = lines[NUM_LINES - 1 - i];
    const char *const *texts = (const char *const *)lines;
    struct vks_translation *together = translate(model, &params, texts, NUM_LINES);
    params.mini_batch = 3;
    struct vks_translation *apart = translate(model, &params, backwards, NUM_LINES);
    for (int i = 0; i < NUM_LINES; i++)
        assert_same(&together[i], &apart[NUM_LINES - 1 - i]);
    for (int i = 0; i < NUM_LINES; i += 3) {
        struct vks_translation *alone = translate(model, &params, texts + i, 1);
        assert_same(&together[i], alone);
        vks_translations_free(alone, 1);
    }
    vks_translations_free(together, NUM_LINES);
    vks_translations_free(apart, NUM_LINES);
    free_lines(lines);
}

static void halves_give_the_same_bits_in_any_batch(void **state) {
    struct vks_model *model = random_model_create(*state, false, 7);
    for (size_t i = 0; i < COUNT_OF(halves); i++)
        check_any_batch(model, (struct vks_translator_params){.beam_size = BEAM,
                                                              .n_best = BEAM,
                                                              .precision = halves[i],
                                                              .word_scores = true,
                                                              .alignment = true,
                                                              .log = &gpu_log});
    vks_model_destroy(&model);
}

static void so_do_cells_and_several_models(void **state) {
    struct vks_model *cells = random_model_create_as(
        *state, &(struct vks_model_config){.decoder_cell = VKS_CELL_SSRU, .rnn_projection = true},
        9);
    struct vks_model *other = random_model_create(*state, true, 10);
    check_any_batch(cells, (struct vks_translator_params){.beam_size = BEAM,
                                                          .precision = VKS_FLOAT16,
                                                          .more_models = &other,
                                                          .num_more_models = 1,
                                                          .log = &gpu_log});
    vks_model_destroy(&cells);
    vks_model_destroy(&other);
}

// The lines' best translations, scored in a precision.
static void score(struct vks_model *model, enum vks_precision precision, char *const *lines,
                  const struct vks_translation *translations, float scores[NUM_LINES]) {
    const struct vks_scorer_params params = {.precision = precision, .log = &gpu_log};
    const char *targets[NUM_LINES];
    struct vks_scorer *scorer;
    for (int i = 0; i < NUM_LINES; i++)
        targets[i] = translations[i].hypotheses[0].text;
    assert_int_equal(vks_scorer_create(model, &tokenizer, &params, &scorer), VKS_OK);
    assert_int_equal(
        vks_score(scorer, (const char *const *)lines, targets, NUM_LINES, scores, NULL), VKS_OK);
    vks_scorer_destroy(&scorer);
}

// With </s>.
static size_t num_tokens(const char *line) {
    size_t num = 2;
    for (; *line; line++)
        num += *line == ' ';
    return num;
}

// Translations end with </s>, or where their greatest length is; then the scorer counts one more.
static void halves_are_near_float32_and_step_as_they_score(void **state) {
    struct vks_model *model = random_model_create(*state, true, 8);
    char *lines[NUM_LINES];
    make_lines(5, lines);
    for (size_t i = 0; i < COUNT_OF(halves); i++) {
        const struct vks_translator_params params = {.beam_size = BEAM,
                                                     .precision = halves[i],
                                                     .max_length_factor = MAX_FACTOR,
                                                     .log = &gpu_log};
        struct vks_translation *translations =
            translate(model, &params, (const char *const *)lines, NUM_LINES);
        float own[NUM_LINES], full[NUM_LINES];
        int num_other = 0, num_ended = 0;
        score(model, halves[i], lines, translations, own);
        score(model, VKS_FLOAT32, lines, translations, full);
        for (int j = 0; j < NUM_LINES; j++) {
            const struct vks_hypothesis *best = &translations[j].hypotheses[0];
            float near = NEAR[halves[i]] * (float)(best->num_ids + 1);
            assert_true(fabsf(own[j] - full[j]) < near);
            num_other += own[j] != full[j];
            if (!*lines[j] || best->num_ids == MAX_FACTOR * num_tokens(lines[j]))
                continue;
            assert_true(fabsf(own[j] - best->log_prob) < near);
            num_ended++;
        }
        assert_true(num_other > NUM_LINES / 2);
        assert_true(num_ended > 2);
        vks_translations_free(translations, NUM_LINES);
    }
    free_lines(lines);
    vks_model_destroy(&model);
}

static uint32_t max_cache_rows(struct vks_model *model, struct half_weights *const *copies) {
    struct step_decoder decoder;
    const struct step_params params = {.models = &model,
                                       .num_models = 1,
                                       .halves = copies,
                                       .rule = {.k = 1},
                                       .cache_bytes = 1 << 20};
    assert_int_equal(step_decoder_init(&params, &decoder), VKS_OK);
    uint32_t rows = decoder.max_cache_rows;
    step_decoder_finish(&decoder);
    return rows;
}

static void a_workspace_holds_twice_as_many_keys_in_halves(void **state) {
    struct vks_model *model = random_model_create(*state, false, 7);
    struct half_weights *copies;
    assert_int_equal(half_weights_create(&model->config, &model->weights, VKS_FLOAT16, &copies),
                     VKS_OK);
    assert_int_equal(max_cache_rows(model, &copies), 2 * max_cache_rows(model, NULL));
    half_weights_destroy(&copies);
    vks_model_destroy(&model);
}

static void remember(void *user, enum vks_log_level level, const char *text) {
    (void)level;
    snprintf(user, 256, "%s", text);
}

static void multiply(struct vks_model *model, const char *name, float factor) {
    for (size_t i = 0; i < model->weights.num_named; i++) {
        const struct named_weight *weight = &model->weights.named[i];
        if (strcmp(weight->name, name) != 0)
            continue;
        uint64_t num = named_weight_size(weight);
        float *values = malloc(num * sizeof *values);
        assert_non_null(values);
        assert_int_equal(named_weight_read(&model->weights, PART_VALUE, weight, values), VKS_OK);
        for (uint64_t j = 0; j < num; j++)
            values[j] *= factor;
        assert_int_equal(named_weight_write(&model->weights, PART_VALUE, weight, values), VKS_OK);
        free(values);
    }
}

// What float16 has no numbers for.
static void weights_beyond_float16_are_told(void **state) {
    struct vks_model *model = random_model_create(*state, false, 7);
    char text[256] = "";
    const struct vks_log log = {.write = remember, .user = text, .level = VKS_LOG_ERROR};
    const char *line = "5 6 7";
    struct vks_translator *translator;
    struct vks_translation *translations;
    multiply(model, "lm_head.weight", 1e6f);
    for (size_t i = 0; i < COUNT_OF(halves); i++) {
        const struct vks_translator_params params = {.precision = halves[i], .log = &log};
        assert_int_equal(vks_translator_create(model, &tokenizer, &params, &translator), VKS_OK);
        enum vks_status status = vks_translate(translator, &line, 1, &translations);
        assert_int_equal(status, halves[i] == VKS_FLOAT16 ? VKS_ERR_DIVERGED : VKS_OK);
        if (status == VKS_OK)
            vks_translations_free(translations, 1);
        vks_translator_destroy(&translator);
    }
    assert_non_null(strstr(text, "float16 ends at 65504"));
    vks_model_destroy(&model);
}

static void no_precision_is_refused(void **state) {
    struct vks_model *model = random_model_create(*state, false, 7);
    char text[256] = "";
    const struct vks_log log = {.write = remember, .user = text, .level = VKS_LOG_ERROR};
    struct vks_translator *translator;
    const struct vks_translator_params params = {.precision = (enum vks_precision)3, .log = &log};
    assert_int_equal(vks_translator_create(model, &tokenizer, &params, &translator),
                     VKS_ERR_ARGUMENT);
    assert_string_equal(text, "3 is no precision: expected float32, float16 or bfloat16");
    vks_model_destroy(&model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halves_give_the_same_bits_in_any_batch),
        cmocka_unit_test(so_do_cells_and_several_models),
        cmocka_unit_test(halves_are_near_float32_and_step_as_they_score),
        cmocka_unit_test(a_workspace_holds_twice_as_many_keys_in_halves),
        cmocka_unit_test(weights_beyond_float16_are_told),
        cmocka_unit_test(no_precision_is_refused),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
