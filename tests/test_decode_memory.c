// Translating with little memory: fewer sentences at once, and the same bits.
#include "base/check.h"
#include "base/inject.h"
#include "base/rng.h"
#include "decode/search.h"
#include "support/gpu.h"
#include "support/random_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NUM_SENTENCES = 40, MAX_SOURCE = 30 };

static const struct vks_translator_params wanted = {
    .beam_size = 3, .n_best = 3, .normalize = 1.0f, .max_length_factor = 2.0f};

struct text {
    struct sentence sentences[NUM_SENTENCES];
    uint32_t ids[NUM_SENTENCES][MAX_SOURCE];
};

static void make_text(struct text *text) {
    struct rng rng = {.seed = 3};
    memset(text, 0, sizeof *text);
    for (uint32_t i = 0; i < NUM_SENTENCES; i++) {
        uint32_t num = 1 + rng_below(&rng, MAX_SOURCE);
        for (uint32_t j = 0; j + 1 < num; j++)
            text->ids[i][j] = 1 + rng_below(&rng, RANDOM_MODEL_VOCAB - 2);
        text->sentences[i] = (struct sentence){.ids = text->ids[i], .num_ids = num};
    }
}

// Counts errors and warnings, which must not both be there.
struct counts {
    uint32_t errors, warnings;
};

static void count(void *user, enum vks_log_level level, const char *text) {
    struct counts *counts = user;
    (void)text;
    counts->errors += level == VKS_LOG_ERROR;
    counts->warnings += level == VKS_LOG_WARN;
}

static enum vks_status translate(struct vks_model *model,
                                 const struct vks_translator_params *params,
                                 const struct text *text, struct vks_translation *translations) {
    struct vks_translator_params complete = *params;
    struct search search;
    assert_int_equal(search_complete_params(&model->config, &complete), VKS_OK);
    const struct search_params search_params = {
        .models = &model, .num_models = 1, .translator = &complete};
    enum vks_status status = search_init(&search_params, &search);
    if (status == VKS_OK)
        status = search_run(&search, text->sentences, NUM_SENTENCES, translations);
    if (status == VKS_OK && params->workspace)
        assert_in_range(search.decoder.capacity.num_cache_rows, 1, search.decoder.max_cache_rows);
    search_finish(&search);
    return status;
}

static void check_same(struct vks_translation *found, const struct vks_translation *expected) {
    for (uint32_t i = 0; i < NUM_SENTENCES; i++) {
        assert_int_equal(found[i].num_hypotheses, expected[i].num_hypotheses);
        for (size_t j = 0; j < found[i].num_hypotheses; j++) {
            const struct vks_hypothesis *x = &found[i].hypotheses[j];
            const struct vks_hypothesis *y = &expected[i].hypotheses[j];
            assert_int_equal(x->num_ids, y->num_ids);
            assert_memory_equal(x->ids, y->ids, x->num_ids * sizeof *x->ids);
            assert_memory_equal(&x->score, &y->score, sizeof x->score);
        }
    }
}

static struct vks_translation *none(void) {
    struct vks_translation *translations = calloc(NUM_SENTENCES, sizeof *translations);
    assert_non_null(translations);
    return translations;
}

// Every allocation of device memory fails once: fewer sentences at once are translated then.
static void a_batch_that_does_not_fit_is_split(void **state) {
    struct vks_device *device = *state;
    const struct vks_log *device_log = device->log;
    struct vks_model *model = random_model_create(device, false, 5);
    struct vks_translation *expected = none();
    struct text text;
    make_text(&text);
    assert_true(inject_set("device-alloc:4000000000"));
    assert_int_equal(translate(model, &wanted, &text, expected), VKS_OK);
    uint32_t num = (uint32_t)inject_num_passed();
    assert_true(num > 5);
    for (uint32_t i = 1; i <= num; i++) {
        struct vks_translator_params params = wanted;
        struct vks_translation *found = none();
        struct counts counts = {0};
        const struct vks_log log = {count, &counts, VKS_LOG_WARN};
        char list[32];
        params.log = device->log = &log;
        snprintf(list, sizeof list, "device-alloc:%u", i);
        assert_true(inject_set(list));
        assert_int_equal(translate(model, &params, &text, found), VKS_OK);
        assert_int_equal(inject_num_done(), 1);
        assert_int_equal(counts.errors, 0);
        assert_int_equal(counts.warnings, 1);
        check_same(found, expected);
        vks_translations_free(found, NUM_SENTENCES);
    }
    assert_true(inject_set(NULL));
    device->log = device_log;
    vks_translations_free(expected, NUM_SENTENCES);
    vks_model_destroy(&model);
}

// All sizes of a device's memory: enough, less, not enough for a sentence.
static void a_smaller_device_translates_fewer_at_once(void **state) {
    struct vks_device *device = *state;
    const struct vks_log *device_log = device->log;
    struct vks_model *model = random_model_create(device, false, 5);
    struct vks_translation *expected = none();
    struct text text;
    uint32_t num_split = 0, num_failed = 0;
    uint64_t limit = device->memory_limit_bytes;
    make_text(&text);
    assert_int_equal(translate(model, &wanted, &text, expected), VKS_OK);
    for (uint64_t more = 64ull << 20; more >= 16 << 10; more /= 2) {
        struct vks_translator_params params = wanted;
        struct vks_translation *found = none();
        struct counts counts = {0};
        const struct vks_log log = {count, &counts, VKS_LOG_WARN};
        params.log = device->log = &log;
        device->memory_limit_bytes = device->memory_now_bytes + more;
        enum vks_status status = translate(model, &params, &text, found);
        if (status == VKS_OK)
            check_same(found, expected);
        else
            assert_int_equal(status, VKS_ERR_DEVICE_OOM);
        assert_int_equal(counts.errors, status != VKS_OK);
        num_split += status == VKS_OK && counts.warnings > 0;
        num_failed += status != VKS_OK;
        vks_translations_free(found, NUM_SENTENCES);
    }
    assert_true(num_split > 0 && num_failed > 0);
    device->memory_limit_bytes = limit;
    device->log = device_log;
    vks_translations_free(expected, NUM_SENTENCES);
    vks_model_destroy(&model);
}

static void a_small_workspace_changes_no_bit(void **state) {
    struct vks_model *model = random_model_create(*state, false, 5);
    struct vks_translation *expected = none(), *found = none();
    struct vks_translator_params params = wanted;
    struct text text;
    make_text(&text);
    assert_int_equal(translate(model, &params, &text, expected), VKS_OK);
    params.workspace = 1; // 2,048 rows: a third of what all sentences together may need
    params.log = &gpu_log;
    assert_int_equal(translate(model, &params, &text, found), VKS_OK);
    check_same(found, expected);
    vks_translations_free(found, NUM_SENTENCES);
    vks_translations_free(expected, NUM_SENTENCES);
    vks_model_destroy(&model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_that_does_not_fit_is_split),
        cmocka_unit_test(a_smaller_device_translates_fewer_at_once),
        cmocka_unit_test(a_small_workspace_changes_no_bit),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
