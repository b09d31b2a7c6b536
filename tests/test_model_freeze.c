// Choosing parameters by name, and laying a model out anew with them frozen.
#include "base/check.h"
#include "model/model_object.h"
#include "model/weights_freeze.h"
#include "support/gpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void patterns_match_whole_names(void **state) {
    static const struct {
        const char *pattern, *name;
        bool matches;
    } cases[] = {
        {"a.b", "a.b", true},
        {"a.b", "a.bc", false},
        {"a.b", "xa.b", false},
        {"a*", "a", true},
        {"a*", "abc", true},
        {"*c", "abc", true},
        {"*c", "abcd", false},
        {"a*c", "ac", true},
        {"a*c", "abcbc", true},
        {"a*b*c", "a..b..b..c", true},
        {"a*b*c", "a..c..b", false},
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"?", "", false},
        {"*", "", true},
        {"", "", true},
        {"", "a", false},
        {"**", "ab", true},
        {"*aab", "aaab", true},
        {"a.c", "abc", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (weights_name_matches(cases[i].pattern, cases[i].name) != cases[i].matches)
            fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].name);
}

static float *read_values(struct weights *weights) {
    size_t num = 0;
    for (size_t i = 0; i < weights->num_named; i++)
        num += named_weight_size(&weights->named[i]);
    float *values = malloc(num * sizeof *values);
    assert_non_null(values);
    num = 0;
    for (size_t i = 0; i < weights->num_named; i++) {
        assert_int_equal(named_weight_read(weights, PART_VALUE, &weights->named[i], values + num),
                         VKS_OK);
        num += named_weight_size(&weights->named[i]);
    }
    return values;
}

static struct vks_model *open_model(struct vks_device *device) {
    const struct vks_model_config config = {.source_vocab = 30,
                                            .target_vocab = 30,
                                            .width = 16,
                                            .ffn_width = 32,
                                            .num_heads = 2,
                                            .encoder_layers = 1,
                                            .decoder_layers = 1};
    struct vks_model *model;
    assert_int_equal(vks_model_create(device, &config, 1, &model), VKS_OK);
    return model;
}

static void values_stay_and_frozen_ones_have_no_other_parts(void **state) {
    static const char *const patterns[] = {"model.encoder.*", "model.shared.weight"};
    struct vks_model *model = open_model(*state);
    struct weights *weights = &model->weights;
    float *before = read_values(weights);
    uint64_t num = vks_model_num_parameters(model), trained_bytes = weights->store.slab_bytes[0];
    assert_int_equal(weights_num_frozen(weights), 0);
    assert_int_equal(weights_freeze(weights, &model->config, patterns, 2), VKS_OK);
    assert_int_equal(model_prepare_training(model, PARTS_ADAM), VKS_OK);
    float *after = read_values(weights);
    assert_memory_equal(after, before, num * sizeof *after);
    assert_true(weights_num_frozen(weights) > 0);
    assert_int_equal(weights->store.slab_bytes[0] + weights->frozen.slab_bytes[0], trained_bytes);
    assert_int_equal(weights->frozen.parts, PARTS_RUN);
    assert_int_equal(weights_freeze(weights, &model->config, NULL, 0), VKS_OK);
    assert_int_equal(weights_num_frozen(weights), 0);
    free(after);
    after = read_values(weights);
    assert_memory_equal(after, before, num * sizeof *after);
    free(after);
    free(before);
    vks_model_destroy(&model);
}

static void patterns_that_make_no_sense_change_nothing(void **state) {
    static const char *const patterns[] = {"*", "encoder", "*.v_proj.bias"};
    struct vks_model *model = open_model(*state);
    struct weights *weights = &model->weights;
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        assert_int_equal(weights_freeze(weights, &model->config, &patterns[i], 1),
                         VKS_ERR_ARGUMENT);
        assert_int_equal(weights_num_frozen(weights), 0);
    }
    vks_model_destroy(&model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_whole_names),
        cmocka_unit_test(values_stay_and_frozen_ones_have_no_other_parts),
        cmocka_unit_test(patterns_that_make_no_sense_change_nothing),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
