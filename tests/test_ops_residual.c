// Residual addition without a norm, against the oracle.
#include "base/check.h"
#include "selftest/residual_case.h"
#include "support/gpu.h"
#include "support/variants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void sum_matches_the_oracle(void **state) {
    // One row, one past a wave, none, with and without dropout.
    static const struct residual_case cases[] = {
        {.capacity = 1, .rows = 1, .width = 4},
        {.capacity = 50, .rows = 33, .width = 36, .dropout = 0.3f},
        {.capacity = 40, .rows = 0, .width = 8},
        {.capacity = 40, .rows = 40, .width = 260, .dropout = 0.9f, .same_input = true},
    };
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena arena = {0};
        struct check check = variants_check(*state, &arena);
        assert_check(residual_case_check(&check, i, &cases[i]), &check);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sum_matches_the_oracle),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
