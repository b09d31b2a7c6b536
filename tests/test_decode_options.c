// What a user asks of a translation beyond its text: forced beginnings, words that must not be
// there, several models, alternatives, scores of words, alignments.
#include "number_translator.h"

#include "base/check.h"
#include "base/inject.h"
#include "model/model_object.h"
#include "support/gpu.h"
#include "vkseq/attention_map.h"
#include "vkseq/translator.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct vks_tokenizer tokenizer = {.eos_id = 0};
static const char *const lines[] = {"5 6 7 8", "9", "", "11 12 13 14 15 16 17", "3 3 3"};

enum { NUM_LINES = COUNT_OF(lines) };

static struct vks_translator *open_translator(struct vks_model *model,
                                              struct vks_translator_params params) {
    struct vks_translator *translator;
    params.log = &gpu_log;
    assert_int_equal(vks_translator_create(model, &tokenizer, &params, &translator), VKS_OK);
    return translator;
}

static struct vks_translation *translate(struct vks_model *model,
                                         struct vks_translator_params params,
                                         const char *const *prefixes) {
    struct vks_translation *translations;
    struct vks_translator *translator = open_translator(model, params);
    assert_int_equal(vks_translate_from(translator, lines, prefixes, NUM_LINES, &translations),
                     VKS_OK);
    vks_translator_destroy(&translator);
    return translations;
}

static void translations_begin_as_they_are_told(void **state) {
    static const char *const prefixes[] = {"20 21", "", "30", "40 41 42 43", "7"};
    struct vks_model *model = random_model_create(*state, false, 7);
    struct vks_translation *free_ones =
        translate(model, (struct vks_translator_params){.beam_size = 3}, NULL);
    struct vks_translation *found =
        translate(model, (struct vks_translator_params){.beam_size = 3}, prefixes);
    for (size_t i = 0; i < NUM_LINES; i++) {
        const char *text = found[i].hypotheses[0].text;
        if (*lines[i])
            assert_memory_equal(text, prefixes[i], strlen(prefixes[i]));
        else
            assert_string_equal(text, ""); // nothing to translate
    }
    assert_string_equal(found[1].hypotheses[0].text, free_ones[1].hypotheses[0].text);
    vks_translations_free(free_ones, NUM_LINES);
    vks_translations_free(found, NUM_LINES);
    vks_model_destroy(&model);
}

static bool has_word(const char *text, const char *word) {
    char padded[512], padded_word[64];
    snprintf(padded, sizeof padded, " %s ", text);
    snprintf(padded_word, sizeof padded_word, " %s ", word);
    return strstr(padded, padded_word) != NULL;
}

static void suppressed_words_are_not_there(void **state) {
    struct vks_model *model = random_model_create(*state, false, 7);
    const struct vks_translator_params plain = {.beam_size = 2, .min_length = 6};
    struct vks_translation *before = translate(model, plain, NULL);
    char word[16], pair[32];
    const struct vks_hypothesis *longest = &before[3].hypotheses[0];
    assert_true(longest->num_ids >= 3);
    snprintf(word, sizeof word, "%u", longest->ids[0]);
    snprintf(pair, sizeof pair, "%u %u", longest->ids[1], longest->ids[2]);
    const char *const suppressed[] = {word, pair};
    struct vks_translator_params params = plain;
    params.suppressed = suppressed;
    params.num_suppressed = COUNT_OF(suppressed);
    assert_true(has_word(longest->text, word) && has_word(longest->text, pair));
    struct vks_translation *after = translate(model, params, NULL);
    for (size_t i = 0; i < NUM_LINES; i++) {
        assert_false(has_word(after[i].hypotheses[0].text, word));
        assert_false(has_word(after[i].hypotheses[0].text, pair));
    }
    vks_translations_free(before, NUM_LINES);
    vks_translations_free(after, NUM_LINES);
    vks_model_destroy(&model);
}

static void word_scores_add_up(void **state) {
    struct vks_model *model = random_model_create(*state, true, 7);
    struct vks_translation *found = translate(
        model, (struct vks_translator_params){.beam_size = 4, .n_best = 4, .word_scores = true},
        NULL);
    for (size_t i = 0; i < NUM_LINES; i++) {
        for (size_t j = 0; j < found[i].num_hypotheses && *lines[i]; j++) {
            const struct vks_hypothesis *hypothesis = &found[i].hypotheses[j];
            float sum = 0;
            for (size_t k = 0; k < hypothesis->num_word_scores; k++)
                sum += hypothesis->word_scores[k];
            assert_true(hypothesis->num_word_scores - hypothesis->num_ids <= 1);
            assert_memory_equal(&sum, &hypothesis->log_prob, sizeof sum);
        }
    }
    vks_translations_free(found, NUM_LINES);
    vks_model_destroy(&model);
}

static void assert_same(const struct vks_translation *a, const struct vks_translation *b,
                        float tolerance) {
    for (size_t i = 0; i < NUM_LINES; i++) {
        assert_string_equal(a[i].hypotheses[0].text, b[i].hypotheses[0].text);
        assert_true(fabsf(a[i].hypotheses[0].log_prob - b[i].hypotheses[0].log_prob) <= tolerance);
    }
}

// A model together with itself is itself, and one of weight 0 has no say.
static void models_are_summed_with_weights(void **state) {
    struct vks_model *a = random_model_create(*state, false, 7);
    struct vks_model *b = random_model_create(*state, true, 9);
    struct vks_translator_params params = {.beam_size = 3, .num_more_models = 1};
    struct vks_translation *alone =
        translate(a, (struct vks_translator_params){.beam_size = 3}, NULL);
    const float halves[] = {0.5f, 0.5f}, first[] = {1.0f, 0.0f}, second[] = {0.0f, 1.0f};
    params.more_models = &a;
    params.weights = halves;
    struct vks_translation *twice = translate(a, params, NULL);
    assert_same(alone, twice, 1e-4f);
    vks_translations_free(twice, NUM_LINES);
    params.more_models = &b;
    params.weights = first;
    struct vks_translation *weighted = translate(a, params, NULL);
    assert_same(alone, weighted, 1e-4f);
    vks_translations_free(weighted, NUM_LINES);
    params.more_models = &a;
    params.weights = second;
    weighted = translate(b, params, NULL);
    assert_same(alone, weighted, 1e-4f);
    vks_translations_free(weighted, NUM_LINES);
    vks_translations_free(alone, NUM_LINES);
    vks_model_destroy(&a);
    vks_model_destroy(&b);
}

// What two models say of a translation, each alone, is what they say of it together.
static void a_sum_of_models_is_the_sum_of_their_scores(void **state) {
    struct vks_model *models[] = {random_model_create(*state, false, 7),
                                  random_model_create(*state, true, 9)};
    const float weights[] = {0.75f, 1.5f};
    const struct vks_translator_params params = {.beam_size = 4,
                                                 .max_length_factor = 3.0f,
                                                 .word_scores = true,
                                                 .more_models = &models[1],
                                                 .num_more_models = 1,
                                                 .weights = weights};
    struct vks_translation *found = translate(models[0], params, NULL);
    size_t num_compared = 0;
    for (size_t i = 0; i < NUM_LINES; i++) {
        const struct vks_hypothesis *best = &found[i].hypotheses[0];
        float sum = 0;
        if (!*lines[i] || best->num_word_scores == best->num_ids)
            continue; // cut
        for (size_t m = 0; m < COUNT_OF(models); m++) {
            struct vks_scorer *scorer;
            float score;
            assert_int_equal(vks_scorer_create(models[m], &tokenizer,
                                               &(struct vks_scorer_params){.log = &gpu_log},
                                               &scorer),
                             VKS_OK);
            assert_int_equal(
                vks_score(scorer, &lines[i], (const char *const *)&best->text, 1, &score, NULL),
                VKS_OK);
            assert_int_equal(best->num_models, COUNT_OF(models));
            assert_true(fabsf(score - best->model_log_probs[m]) < 1e-3f);
            sum += weights[m] * score;
            vks_scorer_destroy(&scorer);
        }
        num_compared++;
        assert_true(fabsf(sum - best->log_prob) < 1e-3f);
    }
    assert_true(num_compared > 0);
    vks_translations_free(found, NUM_LINES);
    vks_model_destroy(&models[0]);
    vks_model_destroy(&models[1]);
}

static void alternatives_part_where_they_are_asked_to(void **state) {
    enum { NUM = 6 };
    struct vks_model *model = random_model_create(*state, false, 7);
    struct vks_translator *translator =
        open_translator(model, (struct vks_translator_params){.beam_size = 1});
    struct vks_translator *greedy =
        open_translator(model, (struct vks_translator_params){.beam_size = 1, .word_scores = true});
    struct vks_translation *found, *expected;
    size_t position;
    for (size_t i = 0; i < 2; i++) {
        const char *prefix = i == 0 ? "" : "20 21";
        assert_int_equal(
            vks_translate_alternatives(translator, lines[3], prefix, NUM, &found, &position),
            VKS_OK);
        assert_int_equal(position, i == 0 ? 0 : 2);
        assert_int_equal(found->num_hypotheses, NUM);
        for (size_t j = 1; j < NUM; j++) {
            const struct vks_hypothesis *a = &found->hypotheses[j - 1], *b = a + 1;
            assert_true(a->word_scores[position] >= b->word_scores[position]);
            if (a->num_ids > position && b->num_ids > position)
                assert_int_not_equal(a->ids[position], b->ids[position]);
        }
        // Each is what greedy search makes of its beginning.
        for (size_t j = 0; j < NUM; j++) {
            const struct vks_hypothesis *hypothesis = &found->hypotheses[j];
            char begin[64];
            if (hypothesis->num_ids <= position)
                continue;
            snprintf(begin, sizeof begin, "%s %u", prefix, hypothesis->ids[position]);
            const char *const begins[] = {begin};
            assert_int_equal(vks_translate_from(greedy, &lines[3], begins, 1, &expected), VKS_OK);
            assert_string_equal(hypothesis->text, expected[0].hypotheses[0].text);
            assert_memory_equal(&hypothesis->log_prob, &expected[0].hypotheses[0].log_prob,
                                sizeof(float));
            vks_translations_free(expected, 1);
        }
        vks_translations_free(found, 1);
    }
    vks_translator_destroy(&translator);
    vks_translator_destroy(&greedy);
    vks_model_destroy(&model);
}

static void alignments_are_shares_of_the_source(void **state) {
    struct vks_model *model = random_model_create(*state, false, 7);
    const struct vks_translator_params params = {
        .beam_size = 3, .n_best = 3, .min_length = 2, .max_length = 5, .alignment = true};
    struct vks_translation *found = translate(model, params, NULL);
    for (size_t i = 0; i < NUM_LINES; i++) {
        for (size_t j = 0; j < found[i].num_hypotheses && *lines[i]; j++) {
            const struct vks_hypothesis *hypothesis = &found[i].hypotheses[j];
            assert_true(found[i].num_source_ids >= 2);
            for (size_t row = 0; row < hypothesis->num_ids; row++) {
                float sum = 0;
                for (size_t col = 0; col < found[i].num_source_ids; col++)
                    sum += hypothesis->alignment[row * found[i].num_source_ids + col];
                assert_true(fabsf(sum - 1.0f) < 1e-4f);
            }
        }
    }
    // Two parts: tokens of the first come from the first.
    const struct vks_hypothesis *joined = &found[3].hypotheses[0];
    size_t num_source = found[3].num_source_ids;
    assert_int_equal(num_source, 9);
    assert_true(joined->num_ids > 0 && joined->alignment[num_source - 1] == 0.0f);
    vks_translations_free(found, NUM_LINES);
    vks_model_destroy(&model);
}

// All that can be asked for, from opening to closing.
static enum vks_status use_everything(struct vks_model *models[2], const struct vks_log *log) {
    static const char *const prefixes[] = {"20 21", "", "30", "40", "7"};
    static const char *const suppressed[] = {"33", "8 9"};
    const struct vks_translator_params params = {.beam_size = 2,
                                                 .n_best = 2,
                                                 .max_length = 5,
                                                 .max_length_factor = 1.0f,
                                                 .suppressed = suppressed,
                                                 .num_suppressed = COUNT_OF(suppressed),
                                                 .word_scores = true,
                                                 .alignment = true,
                                                 .more_models = &models[1],
                                                 .num_more_models = 1,
                                                 .log = log};
    const struct vks_attention_params attention = {.head = VKS_ATTENTION_ALL_HEADS, .log = log};
    struct vks_translation *found = NULL, *others = NULL;
    struct vks_attention_map map = {0};
    struct vks_translator *translator;
    size_t position;
    enum vks_status status = vks_translator_create(models[0], &tokenizer, &params, &translator);
    if (status != VKS_OK)
        return status;
    status = vks_translate_from(translator, lines, prefixes, NUM_LINES, &found);
    if (status == VKS_OK)
        status = vks_translate_alternatives(translator, "5 6", "20", 3, &others, &position);
    if (status == VKS_OK)
        status = vks_attention_compute(models[0], &tokenizer, &attention, "5 6", "20", &map);
    vks_attention_map_free(&map);
    vks_translations_free(found, NUM_LINES);
    vks_translations_free(others, 1);
    vks_translator_destroy(&translator);
    return status;
}

// Each of some places fails, of all with VKSEQ_LONG_TESTS: that is told, and the same goes well
// again. may_manage: the same may also be done with less.
static void walk(struct vks_model *models[2], const char *format, bool may_manage) {
    enum { SAMPLES = 40 };
    char list[32];
    snprintf(list, sizeof list, format, UINT32_MAX);
    assert_true(inject_set(list));
    assert_int_equal(use_everything(models, &gpu_log), VKS_OK);
    uint32_t num = (uint32_t)inject_num_passed();
    assert_true(num > 0);
    uint32_t step = getenv("VKSEQ_LONG_TESTS") ? 1 : num / SAMPLES + 1;
    for (uint32_t i = 1; i <= num; i += step) {
        snprintf(list, sizeof list, format, i);
        assert_true(inject_set(list));
        enum vks_status status = use_everything(models, NULL);
        assert_int_equal(inject_num_done(), 1);
        assert_true(status == VKS_ERR_OOM || status == VKS_ERR_DEVICE_OOM ||
                    (may_manage && status == VKS_OK));
    }
    assert_true(inject_set(NULL));
    assert_int_equal(use_everything(models, &gpu_log), VKS_OK);
}

static void any_allocation_may_fail(void **state) {
    struct vks_model *models[] = {random_model_create(*state, false, 7),
                                  random_model_create(*state, true, 9)};
    walk(models, "alloc:%u", false);
    walk(models, "device-alloc:%u", true);
    vks_model_destroy(&models[0]);
    vks_model_destroy(&models[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(translations_begin_as_they_are_told),
        cmocka_unit_test(suppressed_words_are_not_there),
        cmocka_unit_test(word_scores_add_up),
        cmocka_unit_test(models_are_summed_with_weights),
        cmocka_unit_test(a_sum_of_models_is_the_sum_of_their_scores),
        cmocka_unit_test(alternatives_part_where_they_are_asked_to),
        cmocka_unit_test(alignments_are_shares_of_the_source),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
