// The feed-forward block against the oracle.
#include "base/check.h"
#include "selftest/feed_forward_case.h"
#include "support/gpu.h"
#include "support/variants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

// Without dropout, and with it.
static void check_feed_forward(struct vks_device *device, enum activation activation) {
    static const float dropouts[] = {0, 0.1f, 0.6f};
    struct arena arena = {0};
    struct check check = variants_check(device, &arena);
    for (uint32_t i = 0; i < COUNT_OF(dropouts); i++)
        assert_check(feed_forward_case_check(
                         &check, &(struct feed_forward_case_params){.activation = activation,
                                                                    .width = 12,
                                                                    .hidden = 53,
                                                                    .dropout = dropouts[i]}),
                     &check);
}

static void halves_match_the_oracle(void **state) {
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    for (uint32_t element = ELEMENT_F16; element <= ELEMENT_BF16; element++) {
        for (enum activation activation = ACTIVATION_RELU; activation <= ACTIVATION_SILU;
             activation++) {
            check.element = element;
            assert_check(feed_forward_case_check(&check,
                                                 &(struct feed_forward_case_params){
                                                     .activation = activation,
                                                     .width = 12,
                                                     .hidden = 53,
                                                     .dropout = element == ELEMENT_F16 ? 0 : 0.3f}),
                         &check);
        }
    }
}

// Slices of rows for both weights.
static void gradients_in_slices_match_the_oracle(void **state) {
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    const struct feed_forward_case_params params = {
        .activation = ACTIVATION_RELU, .width = 20, .hidden = 33, .rows = 2100};
    assert_check(feed_forward_case_check(&check, &params), &check);
}

static void feed_forward_with_relu_matches_the_oracle(void **state) {
    check_feed_forward(*state, ACTIVATION_RELU);
}

static void feed_forward_with_gelu_matches_the_oracle(void **state) {
    check_feed_forward(*state, ACTIVATION_GELU);
}

static void feed_forward_with_silu_matches_the_oracle(void **state) {
    check_feed_forward(*state, ACTIVATION_SILU);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(feed_forward_with_relu_matches_the_oracle),
        cmocka_unit_test(feed_forward_with_gelu_matches_the_oracle),
        cmocka_unit_test(feed_forward_with_silu_matches_the_oracle),
        cmocka_unit_test(halves_match_the_oracle),
        cmocka_unit_test(gradients_in_slices_match_the_oracle),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
