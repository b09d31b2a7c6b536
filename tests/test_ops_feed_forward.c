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
        assert_check(
            feed_forward_case_check(
                &check, &(struct feed_forward_case_params){activation, 12, 53, dropouts[i]}),
            &check);
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
