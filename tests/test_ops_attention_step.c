// Attention of one query a row against the oracle.
#include "selftest/attention_step_case.h"
#include "support/gpu.h"
#include "support/variants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void step_over_rows_matches_the_oracle(void **state) {
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    assert_check(attention_step_case_check(&check, 20, false), &check);
}

static void step_over_cache_rows_matches_the_oracle(void **state) {
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    assert_check(attention_step_case_check(&check, 64, true), &check);
}

static void steps_in_halves_match_the_oracle(void **state) {
    for (uint32_t element = ELEMENT_F16; element <= ELEMENT_BF16; element++) {
        for (int has_cache_rows = 0; has_cache_rows < 2; has_cache_rows++) {
            struct arena arena = {0};
            struct check check = variants_check(*state, &arena);
            check.element = element;
            assert_check(attention_step_case_check(&check, 20, has_cache_rows), &check);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step_over_rows_matches_the_oracle),
        cmocka_unit_test(step_over_cache_rows_matches_the_oracle),
        cmocka_unit_test(steps_in_halves_match_the_oracle),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
