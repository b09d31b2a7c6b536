// The optimiser step against the oracle.
#include "base/check.h"
#include "selftest/optimizer_case.h"
#include "support/gpu.h"
#include "support/variants.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void check(struct vks_device *device, uint32_t kind, float decay) {
    struct arena arena = {0};
    struct check check = variants_check(device, &arena);
    assert_check(update_case_check(&check, kind, decay), &check);
}

static void adam_matches_the_oracle(void **state) {
    check(*state, UPDATE_ADAM, 0.0f);
}

static void adam_with_decay_matches_the_oracle(void **state) {
    check(*state, UPDATE_ADAM, 0.01f);
}

static void adamw_matches_the_oracle(void **state) {
    check(*state, UPDATE_ADAMW, 0.1f);
}

static void sgd_matches_the_oracle(void **state) {
    check(*state, UPDATE_SGD, 0.01f);
}

static void gradient_that_is_not_finite_skips_the_update(void **state) {
    static const float bad[] = {INFINITY, NAN};
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    struct update_case c;
    assert_int_equal(update_case_open(&check, UPDATE_ADAM, 0.0f, &c), VKS_OK);
    assert_int_equal(update_case_step_both(&c, 1.0f, 0.0f), VKS_OK);
    for (uint32_t i = 0; i < COUNT_OF(bad); i++) {
        const uint32_t *report;
        assert_int_equal(parameter_write(&c.store, PART_GRADIENT, &c.parameters[0], 0, 1,
                                         (float[]){1.0f, bad[i], 2.0f}),
                         VKS_OK);
        assert_int_equal(update_case_step(&c, 1.0f, 1.0f, &report), VKS_OK);
        assert_int_equal(report[STATE_SKIP], 1);
        assert_int_equal(report[STATE_SKIPPED], i + 1);
        assert_int_equal(report[STATE_UPDATES], 1);
    }
    assert_int_equal(update_case_step_both(&c, 1.0f, 0.0f), VKS_OK);
    assert_check(update_case_compare(&c), &check);
    update_case_close(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adam_matches_the_oracle),
        cmocka_unit_test(adam_with_decay_matches_the_oracle),
        cmocka_unit_test(adamw_matches_the_oracle),
        cmocka_unit_test(sgd_matches_the_oracle),
        cmocka_unit_test(gradient_that_is_not_finite_skips_the_update),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
