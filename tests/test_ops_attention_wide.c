// Attention with heads of many lanes' shares against the oracle; apart from the narrow ones because
// some drivers take long to compile it.
#include "selftest/attention_case.h"
#include "support/gpu.h"
#include "support/variants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void check(struct vks_device *device, const uint32_t (*pairs)[2], struct attention_case *c,
                  uint32_t stream) {
    struct arena arena = {0};
    struct check check = variants_check(device, &arena);
    assert_check(attention_case_check(&check, stream, pairs, c), &check);
}

static const uint32_t lengths[][2] = {{5, 1}, {17, 70}, {1, 100}, {33, 3}};

static void wide_causal_heads_match_the_oracle(void **state) {
    struct attention_case c = {
        .head_width = 100, .num_heads = 1, .self = true, .causal = true, .num_sequences = 4};
    check(*state, lengths, &c, 1);
}

static void widest_heads_match_the_oracle(void **state) {
    struct attention_case c = {.head_width = 128, .num_heads = 3, .num_sequences = 4};
    check(*state, lengths, &c, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wide_causal_heads_match_the_oracle),
        cmocka_unit_test(widest_heads_match_the_oracle),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
