// Translations that are forced to begin with a token for their language: beside ones that are
// forced to begin with the same token as a text, which counts.
#include "number_translator.h"

#include "base/check.h"
#include "base/rng.h"
#include "model/model_object.h"
#include "support/gpu.h"
#include "support/random_model.h"
#include "vkseq/attention_map.h"
#include "vkseq/translator.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { LANGUAGE = 17, NUM_LINES = 8, NUM_WORDS = 7, LINE_BYTES = 64 };

static const struct vks_tokenizer plain = {.eos_id = 0};
static const struct vks_tokenizer with_language = {.eos_id = 0, .language_id = LANGUAGE};

// Lines of random words, and the same with the language's token as their first word.
struct lines {
    char texts[NUM_LINES][LINE_BYTES], spelled[NUM_LINES][LINE_BYTES];
    const char *all[NUM_LINES], *all_spelled[NUM_LINES], *prefixes[NUM_LINES];
};

static void make_lines(struct lines *lines) {
    struct rng rng = {.seed = 4};
    for (int i = 0; i < NUM_LINES; i++) {
        char *end = lines->texts[i];
        for (int j = 0; j < NUM_WORDS; j++)
            end += sprintf(end, j ? " %u" : "%u", 1 + rng_below(&rng, RANDOM_MODEL_VOCAB - 2));
        snprintf(lines->spelled[i], LINE_BYTES, "%d %.50s", LANGUAGE, lines->texts[i]);
        lines->all[i] = lines->texts[i];
        lines->all_spelled[i] = lines->spelled[i];
        lines->prefixes[i] = "17";
    }
}

static struct vks_translation *translate(struct vks_model *model,
                                         const struct vks_tokenizer *tokenizer,
                                         const struct vks_translator_params *params,
                                         const char *const *lines, const char *const *prefixes) {
    struct vks_translator *translator;
    struct vks_translation *translations;
    assert_int_equal(vks_translator_create(model, tokenizer, params, &translator), VKS_OK);
    assert_int_equal(vks_translate_from(translator, lines, prefixes, NUM_LINES, &translations),
                     VKS_OK);
    vks_translator_destroy(&translator);
    return translations;
}

// given: of the language. spelled: where its token is a word of the text.
static void compare_hypotheses(const struct vks_hypothesis *given,
                               const struct vks_hypothesis *spelled, size_t num_source_ids) {
    assert_int_equal(spelled->num_ids, given->num_ids + 1);
    assert_int_equal(spelled->ids[0], LANGUAGE);
    assert_memory_equal(spelled->ids + 1, given->ids, given->num_ids * sizeof *given->ids);
    assert_int_equal(spelled->num_word_scores, given->num_word_scores + 1);
    assert_memory_equal(spelled->word_scores + 1, given->word_scores,
                        given->num_word_scores * sizeof(float));
    assert_true(fabsf(spelled->log_prob - spelled->word_scores[0] - given->log_prob) < 1e-4f);
    assert_memory_equal(spelled->alignment + num_source_ids, given->alignment,
                        given->num_ids * num_source_ids * sizeof(float));
}

static void a_given_token_is_no_part_of_a_translation(void **state) {
    const struct vks_translator_params params = {.beam_size = 3,
                                                 .n_best = 3,
                                                 .max_length_factor = 2.0f,
                                                 .search = VKS_SEARCH_HF,
                                                 .word_scores = true,
                                                 .alignment = true,
                                                 .log = &gpu_log};
    struct vks_model *model = random_model_create(*state, false, 7);
    struct lines lines;
    make_lines(&lines);
    struct vks_translation *given = translate(model, &with_language, &params, lines.all, NULL);
    struct vks_translation *spelled =
        translate(model, &plain, &params, lines.all_spelled, lines.prefixes);
    bool has_tokens = false;
    for (int i = 0; i < NUM_LINES; i++) {
        assert_int_equal(given[i].num_hypotheses, spelled[i].num_hypotheses);
        assert_int_equal(given[i].num_source_ids, NUM_WORDS + 2);
        for (size_t j = 0; j < given[i].num_hypotheses; j++) {
            has_tokens |= given[i].hypotheses[j].num_ids > 0;
            compare_hypotheses(&given[i].hypotheses[j], &spelled[i].hypotheses[j], NUM_WORDS + 2);
        }
    }
    assert_true(has_tokens);
    vks_translations_free(given, NUM_LINES);
    vks_translations_free(spelled, NUM_LINES);
    vks_model_destroy(&model);
}

// As generate of transformers does it: the token counts for the length alone.
static void a_given_token_counts_for_the_length_of_a_score(void **state) {
    const struct vks_translator_params params = {.beam_size = 4,
                                                 .max_length_factor = 2.0f,
                                                 .normalize = 1.0f,
                                                 .word_scores = true,
                                                 .log = &gpu_log};
    struct vks_model *model = random_model_create(*state, true, 9);
    struct lines lines;
    make_lines(&lines);
    struct vks_translation *given = translate(model, &with_language, &params, lines.all, NULL);
    for (int i = 0; i < NUM_LINES; i++) {
        const struct vks_hypothesis *best = &given[i].hypotheses[0];
        float sum = 0, length = (float)best->num_word_scores + 1;
        for (size_t j = 0; j < best->num_word_scores; j++)
            sum += best->word_scores[j];
        assert_true(fabsf(sum - best->log_prob) < 1e-4f);
        assert_true(fabsf(best->log_prob / length - best->score) < 1e-5f);
    }
    vks_translations_free(given, NUM_LINES);
    vks_model_destroy(&model);
}

static void a_scorer_leaves_the_language_out(void **state) {
    const struct vks_translator_params params = {
        .beam_size = 1, .max_length_factor = 2.0f, .log = &gpu_log};
    struct vks_model *model = random_model_create(*state, false, 7);
    struct lines lines;
    make_lines(&lines);
    struct vks_translation *given = translate(model, &with_language, &params, lines.all, NULL);
    struct vks_scorer *scorer;
    const char *targets[NUM_LINES];
    float scores[NUM_LINES];
    uint32_t num_tokens[NUM_LINES], num_compared = 0;
    for (int i = 0; i < NUM_LINES; i++)
        targets[i] = given[i].hypotheses[0].text;
    assert_int_equal(vks_scorer_create(model, &with_language,
                                       &(struct vks_scorer_params){.log = &gpu_log}, &scorer),
                     VKS_OK);
    assert_int_equal(vks_score(scorer, lines.all, targets, NUM_LINES, scores, num_tokens), VKS_OK);
    for (int i = 0; i < NUM_LINES; i++) {
        assert_int_equal(num_tokens[i], given[i].hypotheses[0].num_ids + 1);
        if (given[i].hypotheses[0].num_ids + 1 >= 2 * (NUM_WORDS + 2))
            continue; // it ended without </s>
        assert_true(fabsf(scores[i] - given[i].hypotheses[0].log_prob) < 1e-4f);
        num_compared++;
    }
    assert_true(num_compared > 0);
    vks_scorer_destroy(&scorer);
    vks_translations_free(given, NUM_LINES);
    vks_model_destroy(&model);
}

static void models_together_leave_it_out_too(void **state) {
    struct vks_model *first = random_model_create(*state, false, 7);
    struct vks_model *second = random_model_create(*state, false, 8);
    const struct vks_translator_params params = {.beam_size = 2,
                                                 .max_length_factor = 1.0f,
                                                 .more_models = &second,
                                                 .num_more_models = 1,
                                                 .log = &gpu_log};
    struct lines lines;
    make_lines(&lines);
    struct vks_translation *given = translate(first, &with_language, &params, lines.all, NULL);
    for (int i = 0; i < NUM_LINES; i++) {
        const struct vks_hypothesis *best = &given[i].hypotheses[0];
        assert_int_equal(best->num_models, 2);
        float sum = best->model_log_probs[0] + best->model_log_probs[1];
        assert_true(fabsf(sum - best->log_prob) < 1e-4f);
    }
    vks_translations_free(given, NUM_LINES);
    vks_model_destroy(&first);
    vks_model_destroy(&second);
}

static void alternatives_stand_behind_the_text(void **state) {
    const struct vks_translator_params params = {
        .beam_size = 2, .max_length_factor = 2.0f, .log = &gpu_log};
    struct vks_model *model = random_model_create(*state, false, 7);
    struct vks_translator *translator;
    struct vks_translation *translation;
    struct lines lines;
    size_t position;
    make_lines(&lines);
    assert_int_equal(vks_translator_create(model, &with_language, &params, &translator), VKS_OK);
    assert_int_equal(
        vks_translate_alternatives(translator, lines.all[0], "5 6", 4, &translation, &position),
        VKS_OK);
    assert_int_equal(position, 2);
    for (size_t i = 0; i < translation->num_hypotheses; i++) {
        assert_int_equal(translation->hypotheses[i].ids[0], 5);
        assert_int_equal(translation->hypotheses[i].ids[1], 6);
        assert_true(translation->hypotheses[i].num_word_scores > 2);
    }
    vks_translations_free(translation, 1);
    vks_translator_destroy(&translator);
    vks_model_destroy(&model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_given_token_is_no_part_of_a_translation),
        cmocka_unit_test(a_given_token_counts_for_the_length_of_a_score),
        cmocka_unit_test(a_scorer_leaves_the_language_out),
        cmocka_unit_test(models_together_leave_it_out_too),
        cmocka_unit_test(alternatives_stand_behind_the_text),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
