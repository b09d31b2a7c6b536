// The feed-forward block against the oracle.
#include "selftest/feed_forward_case.h"
#include "support/gpu.h"
#include "support/variants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void check_feed_forward(struct vks_device *device, enum activation activation) {
    struct arena arena = {0};
    struct check check = variants_check(device, &arena);
    assert_check(feed_forward_case_check(&check, activation, 12, 53), &check);
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
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
