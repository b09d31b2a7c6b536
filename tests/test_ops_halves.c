// Every operator that takes halves, with each type of them, against the oracle.
#include "selftest/operators.h"
#include "support/gpu.h"
#include "support/variants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void check_halves(struct vks_device *device, enum vks_status (*run)(struct check *check)) {
    struct arena arena = {0};
    struct check check = variants_check(device, &arena);
    for (uint32_t element = ELEMENT_F16; element <= ELEMENT_BF16; element++) {
        check.element = element;
        assert_check(run(&check), &check);
    }
}

#define FLOATS(name)
#define ALL(name)                                                                                  \
    static void name##_matches_the_oracle(void **state) {                                          \
        check_halves(*state, name##_selftest);                                                     \
    }
SELFTEST_OPERATORS(FLOATS, ALL)
#undef ALL

int main(void) {
    const struct CMUnitTest tests[] = {
#define ALL(name) cmocka_unit_test(name##_matches_the_oracle),
        SELFTEST_OPERATORS(FLOATS, ALL)
#undef ALL
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
