// What a translator tells while it works, and that it can be stopped.
#include "number_translator.h"

#include "base/check.h"
#include "support/gpu.h"
#include "support/random_model.h"
#include "vkseq/translator.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct vks_tokenizer tokenizer = {.eos_id = 0};
static const char *const lines[] = {"5 6 7", "", "  8 9 10 11 12 13", "3 4", "20 21 22 23 24"};

enum { NUM_LINES = COUNT_OF(lines), MAX_TEXT = 512 };

// What was told.
struct listener {
    char texts[NUM_LINES][MAX_TEXT];
    size_t num_calls, last_done, stop_after; // 0: never
    bool has_texts;
};

static bool listen(void *user, const struct vks_progress *progress) {
    struct listener *listener = user;
    listener->num_calls++;
    assert_int_equal(progress->num_lines, NUM_LINES);
    assert_in_range(progress->line, 0, NUM_LINES - 1);
    assert_in_range(progress->num_done, listener->last_done, NUM_LINES);
    listener->last_done = progress->num_done;
    listener->has_texts |= progress->text != NULL;
    if (progress->text) {
        char *text = listener->texts[progress->line];
        size_t num_bytes = strlen(text);
        assert_true(strlen(progress->text) < MAX_TEXT);
        assert_int_equal(strncmp(progress->text, text, num_bytes), 0);
        strcpy(text, progress->text);
    }
    return listener->num_calls != listener->stop_after;
}

static struct vks_translator *open_translator(struct vks_model *model,
                                              struct vks_translator_params params,
                                              struct listener *listener) {
    struct vks_translator *translator;
    params.max_length = 5; // one of the lines in two parts
    params.max_length_factor = 2.0f;
    params.log = &gpu_log;
    params.observe = listen;
    params.observe_user = listener;
    assert_int_equal(vks_translator_create(model, &tokenizer, &params, &translator), VKS_OK);
    return translator;
}

static struct vks_translation *translate(struct vks_translator *translator) {
    struct vks_translation *translations;
    assert_int_equal(vks_translate(translator, lines, NUM_LINES, &translations), VKS_OK);
    return translations;
}

static void check_growing(struct vks_model *model, struct vks_translator_params params) {
    struct listener listener = {0};
    struct vks_translator *translator = open_translator(model, params, &listener);
    struct vks_translation *translations = translate(translator);
    size_t num_texts = 0;
    for (size_t i = 0; i < NUM_LINES; i++) {
        const char *text = translations[i].hypotheses[0].text;
        assert_int_equal(strncmp(text, listener.texts[i], strlen(listener.texts[i])), 0);
        num_texts += listener.texts[i][0] != '\0';
    }
    assert_true(num_texts > 0);
    assert_int_equal(listener.last_done, NUM_LINES);
    vks_translations_free(translations, NUM_LINES);
    vks_translator_destroy(&translator);
}

static void what_is_told_grows_to_the_translation(void **state) {
    struct vks_model *model = random_model_create(*state, false, 7);
    check_growing(model, (struct vks_translator_params){.beam_size = 1});
    check_growing(model, (struct vks_translator_params){.beam_size = 1, .mini_batch = 1});
    check_growing(model, (struct vks_translator_params){.sampling = VKS_SAMPLING_FULL, .seed = 3});
    vks_model_destroy(&model);
}

// One line at a time: everything is told of it, its last token too.
static void the_last_text_of_a_line_is_all_of_it(void **state) {
    struct vks_model *model = random_model_create(*state, false, 7);
    struct listener listener = {0};
    struct vks_translator *translator = open_translator(
        model, (struct vks_translator_params){.beam_size = 1, .mini_batch = 1}, &listener);
    struct vks_translation *translations = translate(translator);
    for (size_t i = 0; i < NUM_LINES; i++)
        if (i != 2) // its parts are of different lengths, with others between them
            assert_string_equal(listener.texts[i], translations[i].hypotheses[0].text);
    vks_translations_free(translations, NUM_LINES);
    vks_translator_destroy(&translator);
    vks_model_destroy(&model);
}

static void a_beam_has_no_text_before_its_end(void **state) {
    struct vks_model *model = random_model_create(*state, false, 7);
    struct listener listener = {0};
    struct vks_translator *translator =
        open_translator(model, (struct vks_translator_params){.beam_size = 3}, &listener);
    vks_translations_free(translate(translator), NUM_LINES);
    assert_true(listener.num_calls > 2);
    assert_int_equal(listener.last_done, NUM_LINES);
    assert_false(listener.has_texts);
    vks_translator_destroy(&translator);
    vks_model_destroy(&model);
}

// At every step; what is translated after that is as if nothing had been stopped.
static void a_translation_can_be_stopped(void **state) {
    struct vks_model *model = random_model_create(*state, false, 7);
    struct listener listener = {0};
    struct vks_translator *translator =
        open_translator(model, (struct vks_translator_params){.beam_size = 3}, &listener);
    struct vks_translation *expected = translate(translator);
    size_t num_calls = listener.num_calls;
    for (size_t stop = 1; stop < num_calls; stop++) {
        struct vks_translation *stopped = NULL;
        listener = (struct listener){.stop_after = stop};
        assert_int_equal(vks_translate(translator, lines, NUM_LINES, &stopped), VKS_ERR_CANCELLED);
        assert_null(stopped);
        assert_int_equal(listener.num_calls, stop);
        listener = (struct listener){0};
        struct vks_translation *again = translate(translator);
        for (size_t i = 0; i < NUM_LINES; i++) {
            assert_string_equal(again[i].hypotheses[0].text, expected[i].hypotheses[0].text);
            assert_memory_equal(&again[i].hypotheses[0].score, &expected[i].hypotheses[0].score,
                                sizeof(float));
        }
        vks_translations_free(again, NUM_LINES);
    }
    vks_translations_free(expected, NUM_LINES);
    vks_translator_destroy(&translator);
    vks_model_destroy(&model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told_grows_to_the_translation),
        cmocka_unit_test(the_last_text_of_a_line_is_all_of_it),
        cmocka_unit_test(a_beam_has_no_text_before_its_end),
        cmocka_unit_test(a_translation_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
