// Copying rows against the oracle.
#include "selftest/copy_case.h"
#include "support/gpu.h"
#include "support/variants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void rows_go_to_their_places(void **state) {
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    assert_check(copy_case_check(&check), &check);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_go_to_their_places),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
