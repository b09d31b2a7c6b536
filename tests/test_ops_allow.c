// Sets of allowed tokens, bit by bit.
#include "base/check.h"
#include "selftest/allow_case.h"
#include "support/gpu.h"
#include "support/variants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void only_tokens_of_the_set_keep_their_logits(void **state) {
    // Under a word of the set, one, one past it, many.
    static const uint32_t vocabs[] = {7, 32, 33, 2003};
    for (uint32_t i = 0; i < COUNT_OF(vocabs); i++) {
        struct arena arena = {0};
        struct check check = variants_check(*state, &arena);
        assert_check(allow_case_check(&check, vocabs[i]), &check);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_tokens_of_the_set_keep_their_logits),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
