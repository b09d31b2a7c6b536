// Translating and scoring lines of text: what a user sees, with numbers as words.
#include "number_translator.h"

#include "base/check.h"
#include "base/rng.h"
#include "model/model_object.h"
#include "support/gpu.h"
#include "support/random_model.h"
#include "vkseq/translator.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct vks_tokenizer tokenizer = {.eos_id = 0};

// Remembers the last message.
struct last_words {
    enum vks_log_level level;
    char text[512];
};

static void remember(void *user, enum vks_log_level level, const char *text) {
    struct last_words *last = user;
    last->level = level;
    snprintf(last->text, sizeof last->text, "%s", text);
}

// Random words; to be freed.
static char *make_line(struct rng *rng, uint32_t num_words) {
    char *line = calloc(num_words + 1, 4), *end = line;
    assert_non_null(line);
    for (uint32_t i = 0; i < num_words; i++)
        end += sprintf(end, i ? " %u" : "%u", 1 + rng_below(rng, RANDOM_MODEL_VOCAB - 2));
    return line;
}

static struct vks_translator *open_translator(struct vks_model *model,
                                              const struct vks_translator_params *params) {
    struct vks_translator *translator;
    assert_int_equal(vks_translator_create(model, &tokenizer, params, &translator), VKS_OK);
    return translator;
}

static struct vks_translation *translate(struct vks_translator *translator,
                                         const char *const *lines, size_t num_lines) {
    struct vks_translation *translations;
    assert_int_equal(vks_translate(translator, lines, num_lines, &translations), VKS_OK);
    return translations;
}

// The n-th best translations whose </s> the search came to, scored again.
static void check_scores(struct vks_scorer *scorer, const char *const *lines, size_t num_lines,
                         const struct vks_translation *translations, uint32_t max_steps) {
    enum { MAX_LINES = 64 };
    const char *sources[MAX_LINES], *targets[MAX_LINES];
    float expected[MAX_LINES], scores[MAX_LINES];
    uint32_t num_ids[MAX_LINES], num_tokens[MAX_LINES];
    size_t num = 0;
    for (size_t i = 0; i < num_lines; i++) {
        for (size_t j = 0; j < translations[i].num_hypotheses; j++) {
            const struct vks_hypothesis *hypothesis = &translations[i].hypotheses[j];
            if (hypothesis->num_ids >= max_steps || num == MAX_LINES)
                continue;
            sources[num] = lines[i];
            targets[num] = hypothesis->text;
            expected[num] = hypothesis->log_prob;
            num_ids[num++] = (uint32_t)hypothesis->num_ids;
        }
    }
    assert_true(num > 0);
    assert_int_equal(vks_score(scorer, sources, targets, num, scores, num_tokens), VKS_OK);
    for (size_t i = 0; i < num; i++) {
        assert_true(fabsf(scores[i] - expected[i]) < 1e-4f);
        assert_int_equal(num_tokens[i], num_ids[i] + 1);
    }
}

enum { NUM_LINES = 12, NUM_WORDS = 9 };

static void scores_equal_translations(void **state) {
    const struct vks_translator_params params = {
        .beam_size = 4, .n_best = 4, .max_length_factor = 2.0f, .log = &gpu_log};
    for (int pre_norm = 0; pre_norm < 2; pre_norm++) {
        struct vks_model *model = random_model_create(*state, pre_norm, 7);
        struct vks_translator *translator = open_translator(model, &params);
        struct vks_scorer *scorer;
        struct rng rng = {.seed = 4};
        char *lines[NUM_LINES];
        for (int i = 0; i < NUM_LINES; i++)
            lines[i] = make_line(&rng, NUM_WORDS);
        const char *const *texts = (const char *const *)lines;
        struct vks_translation *translations = translate(translator, texts, NUM_LINES);
        assert_int_equal(vks_scorer_create(model, &tokenizer,
                                           &(struct vks_scorer_params){.log = &gpu_log}, &scorer),
                         VKS_OK);
        check_scores(scorer, texts, NUM_LINES, translations, 2 * (NUM_WORDS + 1));
        vks_translations_free(translations, NUM_LINES);
        for (int i = 0; i < NUM_LINES; i++)
            free(lines[i]);
        vks_scorer_destroy(&scorer);
        vks_translator_destroy(&translator);
        vks_model_destroy(&model);
    }
}

// More tokens than a batch holds, so that there are several.
static void a_score_has_the_same_bits_in_any_batch(void **state) {
    enum { MANY = 700, FEW_WORDS = 5 };
    struct vks_model *model = random_model_create(*state, false, 12);
    struct vks_scorer *together, *alone;
    struct rng rng = {.seed = 6};
    char *sources[MANY], *targets[MANY];
    float scores[MANY], score;
    for (int i = 0; i < MANY; i++) {
        sources[i] = make_line(&rng, rng_below(&rng, FEW_WORDS));
        targets[i] = make_line(&rng, rng_below(&rng, FEW_WORDS));
    }
    const char *const *source_texts = (const char *const *)sources;
    const char *const *target_texts = (const char *const *)targets;
    assert_int_equal(vks_scorer_create(model, &tokenizer,
                                       &(struct vks_scorer_params){.log = &gpu_log}, &together),
                     VKS_OK);
    assert_int_equal(
        vks_scorer_create(model, &tokenizer, &(struct vks_scorer_params){.log = &gpu_log}, &alone),
        VKS_OK);
    assert_int_equal(vks_score(together, source_texts, target_texts, MANY, scores, NULL), VKS_OK);
    for (int i = 0; i < MANY; i += 50) {
        assert_int_equal(vks_score(alone, source_texts + i, target_texts + i, 1, &score, NULL),
                         VKS_OK);
        assert_memory_equal(&score, &scores[i], sizeof score);
    }
    for (int i = 0; i < MANY; i++) {
        free(sources[i]);
        free(targets[i]);
    }
    vks_scorer_destroy(&together);
    vks_scorer_destroy(&alone);
    vks_model_destroy(&model);
}

static void an_empty_line_is_translated_as_nothing(void **state) {
    const struct vks_translator_params params = {.beam_size = 2, .n_best = 2, .log = &gpu_log};
    const char *const lines[] = {"", "5 6 7", " "};
    struct vks_model *model = random_model_create(*state, false, 13);
    struct vks_translator *translator = open_translator(model, &params);
    struct vks_translation *translations = translate(translator, lines, COUNT_OF(lines));
    for (size_t i = 0; i < COUNT_OF(lines); i += 2) {
        assert_int_equal(translations[i].num_hypotheses, 1);
        assert_string_equal(translations[i].hypotheses[0].text, "");
        assert_int_equal(translations[i].hypotheses[0].num_ids, 0);
        assert_true(translations[i].hypotheses[0].log_prob == 0.0f);
        assert_true(translations[i].hypotheses[0].score == 0.0f);
    }
    assert_int_equal(translations[1].num_hypotheses, 2);
    vks_translations_free(translations, COUNT_OF(lines));
    translations = translate(translator, lines, 0);
    vks_translations_free(translations, 0);
    translations = translate(translator, lines, 1);
    assert_string_equal(translations[0].hypotheses[0].text, "");
    vks_translations_free(translations, 1);
    vks_translator_destroy(&translator);
    vks_model_destroy(&model);
}

static void translations_end_at_their_limit(void **state) {
    const char *const lines[] = {"1 2 3 4 5 6 7 8 9"};
    struct vks_model *model = random_model_create(*state, true, 13);
    struct vks_translator *translator = open_translator(
        model, &(struct vks_translator_params){.beam_size = 3, .max_length_factor = 0.01f});
    struct vks_translation *translations = translate(translator, lines, 1);
    assert_int_equal(translations[0].num_hypotheses, 1);
    assert_true(translations[0].hypotheses[0].num_ids <= 1);
    vks_translations_free(translations, 1);
    vks_translator_destroy(&translator);
    translator = open_translator(
        model, &(struct vks_translator_params){.beam_size = 3, .max_length_factor = 0.35f});
    translations = translate(translator, lines, 1);
    assert_true(translations[0].hypotheses[0].num_ids <= 4);
    vks_translations_free(translations, 1);
    vks_translator_destroy(&translator);
    vks_model_destroy(&model);
}

// What the translation of one line has to be, by a translator of its own.
static char *translate_alone(struct vks_model *model, const struct vks_translator_params *params,
                             const char *line) {
    struct vks_translator *translator = open_translator(model, params);
    struct vks_translation *translations = translate(translator, &line, 1);
    char *text = strdup(translations[0].hypotheses[0].text);
    assert_non_null(text);
    vks_translations_free(translations, 1);
    vks_translator_destroy(&translator);
    return text;
}

// Parts of 5 tokens, translated as if they stood alone.
static void check_parts(struct vks_model *model, const struct vks_translator_params *params) {
    char expected[256];
    char *first = translate_alone(model, params, "1 2 3 4 5");
    char *second = translate_alone(model, params, "6 7 8");
    char *line = translate_alone(model, params, "1 2 3 4 5 6 7 8");
    snprintf(expected, sizeof expected, "%s %s", first, second);
    assert_string_equal(line, expected);
    free(first);
    free(second);
    free(line);
}

static void long_lines_are_translated_in_parts(void **state) {
    struct vks_model *model = random_model_create(*state, false, 14);
    check_parts(model, &(struct vks_translator_params){.max_length = 6});
    vks_model_destroy(&model);
    const struct vks_model_config learned = {.positions = VKS_POSITIONS_LEARNED,
                                             .max_positions = 6};
    model = random_model_create_as(*state, &learned, 14);
    check_parts(model, &(struct vks_translator_params){.beam_size = 2, .max_length_factor = 1.0f});
    vks_model_destroy(&model);
}

// Lines longer than the table of positions, between short ones: everything is built anew, also what
// others have built on the old table. Among the words of the widest beam is always </s>.
static void longer_lines_grow_the_programs(void **state) {
    const struct vks_translator_params params = {.beam_size = 64,
                                                 .n_best = 64,
                                                 .max_length = 3000,
                                                 .max_length_factor = 0.02f,
                                                 .log = &gpu_log};
    struct vks_model *model = random_model_create(*state, false, 15);
    struct vks_translator *translator = open_translator(model, &params);
    struct vks_translator *other = open_translator(model, &params);
    struct vks_scorer *scorer;
    struct rng rng = {.seed = 9};
    char *lines[] = {make_line(&rng, 60), make_line(&rng, 700), make_line(&rng, 1500)};
    const char *const *texts = (const char *const *)lines;
    assert_int_equal(
        vks_scorer_create(model, &tokenizer, &(struct vks_scorer_params){.log = &gpu_log}, &scorer),
        VKS_OK);
    struct vks_translation *first = translate(translator, texts, 1);
    struct vks_translation *others = translate(other, texts, 1);
    check_scores(scorer, texts, 1, first, 2);
    struct vks_translation *all = translate(translator, texts, COUNT_OF(lines));
    struct vks_translation *again = translate(other, texts, 1);
    assert_string_equal(first[0].hypotheses[0].text, all[0].hypotheses[0].text);
    assert_string_equal(first[0].hypotheses[0].text, others[0].hypotheses[0].text);
    assert_string_equal(first[0].hypotheses[0].text, again[0].hypotheses[0].text);
    check_scores(scorer, texts + 1, 1, all + 1, 15);
    check_scores(scorer, texts + 2, 1, all + 2, 31);
    vks_translations_free(first, 1);
    vks_translations_free(others, 1);
    vks_translations_free(again, 1);
    vks_translations_free(all, COUNT_OF(lines));
    vks_translator_destroy(&translator);
    vks_translator_destroy(&other);
    vks_scorer_destroy(&scorer);
    vks_model_destroy(&model);
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        free(lines[i]);
}

static void a_foreign_vocabulary_is_rejected(void **state) {
    static const struct {
        struct vks_model_config config;
        const char *what;
    } cases[] = {
        {{.source_vocab = RANDOM_MODEL_VOCAB + 1, .target_vocab = RANDOM_MODEL_VOCAB},
         "source vocabulary size is 61 in the vocabulary and 62 in the model"},
        {{.source_vocab = RANDOM_MODEL_VOCAB, .target_vocab = RANDOM_MODEL_VOCAB + 1},
         "target vocabulary size is 61 in the vocabulary and 62 in the model"},
        {{.source_vocab = RANDOM_MODEL_VOCAB, .target_vocab = RANDOM_MODEL_VOCAB, .eos_id = 1},
         "</s> is 0 in the vocabulary and 1 in the model"},
        {{.source_vocab = RANDOM_MODEL_VOCAB, .target_vocab = RANDOM_MODEL_VOCAB, .pad_id = 7},
         "<pad> is 60 in the vocabulary and 7 in the model"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct last_words last = {.level = VKS_LOG_DEBUG};
        const struct vks_log log = {remember, &last, VKS_LOG_WARN};
        struct vks_model_config config = cases[i].config;
        struct vks_model *model;
        struct vks_translator *translator = NULL;
        struct vks_scorer *scorer = NULL;
        config.width = 16;
        config.num_heads = 2;
        config.encoder_layers = config.decoder_layers = 1;
        config.tying = VKS_TIED_OUTPUT;
        assert_int_equal(vks_model_create(*state, &config, 1, &model), VKS_OK);
        assert_int_equal(vks_translator_create(model, &tokenizer,
                                               &(struct vks_translator_params){.log = &log},
                                               &translator),
                         VKS_ERR_ARGUMENT);
        assert_non_null(strstr(last.text, cases[i].what));
        assert_int_equal(
            vks_scorer_create(model, &tokenizer, &(struct vks_scorer_params){.log = &log}, &scorer),
            VKS_ERR_ARGUMENT);
        assert_null(translator);
        assert_null(scorer);
        vks_model_destroy(&model);
    }
}

static void text_that_is_not_utf8_is_rejected(void **state) {
    struct last_words last = {.level = VKS_LOG_DEBUG};
    const struct vks_log log = {remember, &last, VKS_LOG_WARN};
    const char *const lines[] = {"5 6", "7 \xff"};
    struct vks_model *model = random_model_create(*state, false, 3);
    struct vks_translator *translator;
    struct vks_translation *translations = NULL;
    assert_int_equal(vks_translator_create(model, &tokenizer,
                                           &(struct vks_translator_params){.log = &log},
                                           &translator),
                     VKS_OK);
    assert_int_equal(vks_translate(translator, lines, 1, &translations), VKS_OK);
    vks_translations_free(translations, 1);
    translations = NULL;
    assert_int_equal(vks_translate(translator, lines, 2, &translations), VKS_ERR_FORMAT);
    assert_non_null(strstr(last.text, "line 3: not UTF-8")); // the third that it is given
    assert_null(translations);
    vks_translator_destroy(&translator);
    vks_model_destroy(&model);
}

static void senseless_parameters_are_rejected(void **state) {
    const struct vks_translator_params cases[] = {
        {.beam_size = 65},
        {.beam_size = 2, .n_best = 3},
        {.max_length_factor = -1.0f},
        {.max_length_factor = NAN},
        {.normalize = INFINITY},
        {.word_penalty = NAN},
        {.temperature = -1.0f},
        {.temperature = NAN},
        {.sampling_mass = 1.5f},
        {.repetition_penalty = -0.5f},
        {.no_repeat_ngram = UINT32_MAX},
        {.num_more_models = VKS_MAX_MODELS},
    };
    struct vks_model *model = random_model_create(*state, false, 1);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct vks_translator *translator = NULL;
        assert_int_equal(vks_translator_create(model, &tokenizer, &cases[i], &translator),
                         VKS_ERR_ARGUMENT);
        assert_null(translator);
    }
    vks_model_destroy(&model);
}

// Beams as wide as can be: wider than the vocabulary has words.
static void the_widest_beam_works(void **state) {
    const struct vks_translator_params params = {.beam_size = 64, .n_best = 64, .log = &gpu_log};
    const char *const lines[] = {"1 2", "3"};
    struct vks_model *model = random_model_create(*state, false, 16);
    struct vks_translator *translator = open_translator(model, &params);
    struct vks_translation *translations = translate(translator, lines, COUNT_OF(lines));
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        for (size_t j = 1; j < translations[i].num_hypotheses; j++)
            assert_true(translations[i].hypotheses[j - 1].score >=
                        translations[i].hypotheses[j].score);
    assert_int_equal(translations[0].num_hypotheses, 64);
    vks_translations_free(translations, COUNT_OF(lines));
    vks_translator_destroy(&translator);
    vks_model_destroy(&model);
}

static void a_broken_model_is_told(void **state) {
    struct last_words last = {.level = VKS_LOG_DEBUG};
    const struct vks_log log = {remember, &last, VKS_LOG_WARN};
    struct vks_model *model = random_model_create(*state, false, 17);
    const struct parameter *beta = &model->weights.decoder.layers[1].ffn_norm.beta;
    float values[32];
    for (size_t i = 0; i < COUNT_OF(values); i++)
        values[i] = NAN;
    assert_int_equal(parameter_write(&model->weights.store, PART_VALUE, beta, 0, 1, values),
                     VKS_OK);
    struct vks_translator *translator =
        open_translator(model, &(struct vks_translator_params){.log = &log});
    struct vks_translation *translations = NULL;
    const char *line = "1 2 3";
    assert_int_equal(vks_translate(translator, &line, 1, &translations), VKS_ERR_DIVERGED);
    assert_null(translations);
    assert_non_null(strstr(last.text, "not finite"));
    vks_translator_destroy(&translator);
    vks_model_destroy(&model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_equal_translations),
        cmocka_unit_test(a_score_has_the_same_bits_in_any_batch),
        cmocka_unit_test(an_empty_line_is_translated_as_nothing),
        cmocka_unit_test(translations_end_at_their_limit),
        cmocka_unit_test(long_lines_are_translated_in_parts),
        cmocka_unit_test(longer_lines_grow_the_programs),
        cmocka_unit_test(a_foreign_vocabulary_is_rejected),
        cmocka_unit_test(text_that_is_not_utf8_is_rejected),
        cmocka_unit_test(senseless_parameters_are_rejected),
        cmocka_unit_test(the_widest_beam_works),
        cmocka_unit_test(a_broken_model_is_told),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
