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

static void check(struct vks_device *device, uint32_t kind, float decay, float smoothing) {
    struct arena arena = {0};
    struct check check = variants_check(device, &arena);
    assert_check(update_case_check(&check, &(struct update_case_kind){kind, decay, smoothing}),
                 &check);
}

static void adam_matches_the_oracle(void **state) {
    check(*state, UPDATE_ADAM, 0.0f, 0.0f);
}

static void adam_with_decay_matches_the_oracle(void **state) {
    check(*state, UPDATE_ADAM, 0.01f, 0.0f);
}

static void adamw_matches_the_oracle(void **state) {
    check(*state, UPDATE_ADAMW, 0.1f, 0.0f);
}

static void sgd_matches_the_oracle(void **state) {
    check(*state, UPDATE_SGD, 0.01f, 0.0f);
}

// A share of 0.8 is less than that of the first two updates, and more than that of later ones.
static void averages_match_the_oracle(void **state) {
    check(*state, UPDATE_ADAM, 0.0f, 0.8f);
    check(*state, UPDATE_ADAMW, 0.1f, 1e-4f);
    check(*state, UPDATE_SGD, 0.0f, 1e-4f);
}

static const uint32_t *skip_step(struct update_case *c, float bad) {
    const uint32_t *report;
    assert_int_equal(parameter_write(&c->store, PART_GRADIENT, &c->parameters[0], 0, 1,
                                     (float[]){1.0f, bad, 2.0f}),
                     VKS_OK);
    assert_int_equal(update_case_step(c, 1.0f, 1.0f, &report), VKS_OK);
    update_case_skip(c);
    assert_int_equal(report[STATE_SKIP], 1);
    return report;
}

static void gradient_that_is_not_finite_skips_the_update(void **state) {
    static const float bad[] = {INFINITY, NAN};
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    struct update_case c;
    const struct update_case_kind kind = {UPDATE_ADAM, 0.0f, 0.8f};
    assert_int_equal(update_case_open(&check, &kind, &c), VKS_OK);
    assert_int_equal(update_case_step_both(&c, 1.0f, 0.0f), VKS_OK);
    for (uint32_t i = 0; i < COUNT_OF(bad); i++) {
        const uint32_t *report = skip_step(&c, bad[i]);
        assert_int_equal(report[STATE_SKIPPED], i + 1);
        assert_int_equal(report[STATE_SKIPPED_IN_A_ROW], i + 1);
        assert_int_equal(report[STATE_HALVINGS], i + 1);
        assert_int_equal(report[STATE_UPDATES], 1);
    }
    assert_int_equal(update_case_step_both(&c, 1.0f, 0.0f), VKS_OK);
    assert_check(update_case_compare(&c), &check);
    update_case_close(&c);
}

static void rate_is_doubled_again_after_good_updates(void **state) {
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    struct update_case c;
    const uint32_t *report;
    const struct update_case_kind kind = {UPDATE_SGD, 0.0f, 0.0f};
    assert_int_equal(update_case_open(&check, &kind, &c), VKS_OK);
    assert_int_equal(update_case_step_both(&c, 0.1f, 0.0f), VKS_OK);
    skip_step(&c, NAN);
    skip_step(&c, NAN);
    for (int i = 1; i <= RECOVERY_UPDATES; i++) {
        assert_int_equal(c.halvings, 2);
        assert_int_equal(update_case_step_both(&c, 0.1f, 0.0f), VKS_OK);
    }
    assert_int_equal(c.halvings, 1);
    assert_int_equal(update_case_step_both(&c, 0.1f, 0.0f), VKS_OK);
    report = program_output(c.program, 0, c.report);
    assert_int_equal(report[STATE_HALVINGS], 1);
    assert_int_equal(report[STATE_GOOD], 1);
    assert_int_equal(report[STATE_SKIPPED_IN_A_ROW], 0);
    assert_check(update_case_compare(&c), &check);
    update_case_close(&c);
}

static void rate_is_not_halved_for_ever(void **state) {
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    struct update_case c;
    const uint32_t *report = NULL;
    const struct update_case_kind kind = {UPDATE_SGD, 0.0f, 0.0f};
    assert_int_equal(update_case_open(&check, &kind, &c), VKS_OK);
    for (int i = 0; i < MAX_HALVINGS + 3; i++)
        report = skip_step(&c, NAN);
    assert_int_equal(report[STATE_HALVINGS], MAX_HALVINGS);
    assert_int_equal(report[STATE_SKIPPED_IN_A_ROW], MAX_HALVINGS + 3);
    assert_check(VKS_OK, &check);
    update_case_close(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adam_matches_the_oracle),
        cmocka_unit_test(adam_with_decay_matches_the_oracle),
        cmocka_unit_test(adamw_matches_the_oracle),
        cmocka_unit_test(sgd_matches_the_oracle),
        cmocka_unit_test(averages_match_the_oracle),
        cmocka_unit_test(gradient_that_is_not_finite_skips_the_update),
        cmocka_unit_test(rate_is_doubled_again_after_good_updates),
        cmocka_unit_test(rate_is_not_halved_for_ever),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
