// Token and position embedding against the oracle.
#include "base/check.h"
#include "selftest/embedding_case.h"
#include "support/gpu.h"
#include "support/variants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void check(struct vks_device *device, struct embedding_case *c, uint32_t stream) {
    struct arena arena = {0};
    struct check check = variants_check(device, &arena);
    assert_check(embedding_case_check(&check, stream, c), &check);
}

static void embedding_matches_the_oracle(void **state) {
    struct embedding_case cases[] = {
        {.capacity = 1, .rows = 1, .width = 4, .vocab = 1, .positions = 1, .scale = 1.0f},
        {.capacity = 400, .rows = 333, .width = 36, .vocab = 17, .positions = 41, .scale = 6.0f},
        {.capacity = 64, .rows = 0, .width = 12, .vocab = 9, .positions = 5, .scale = 1.0f},
        {.capacity = 4000, .rows = 50, .width = 516, .vocab = 999, .positions = 8, .scale = 2.5f},
    };
    for (uint32_t i = 0; i < COUNT_OF(cases); i++)
        check(*state, &cases[i], i);
}

static void learned_positions_match_the_oracle(void **state) {
    struct embedding_case c = {.capacity = 300,
                               .rows = 211,
                               .width = 20,
                               .vocab = 31,
                               .positions = 3,
                               .scale = 2.0f,
                               .learned = true};
    check(*state, &c, 10);
}

static void dropout_follows_the_counter_forward_and_backward(void **state) {
    struct embedding_case c = {.capacity = 300,
                               .rows = 101,
                               .width = 20,
                               .vocab = 31,
                               .positions = 50,
                               .scale = 2.0f,
                               .dropout = 0.3f,
                               .learned = true};
    check(*state, &c, 20);
}

static void dropped_words_keep_their_positions(void **state) {
    struct embedding_case cases[] = {
        {.capacity = 300,
         .rows = 101,
         .width = 20,
         .vocab = 31,
         .positions = 50,
         .scale = 2.0f,
         .word_dropout = 0.3f,
         .learned = true},
        {.capacity = 300,
         .rows = 101,
         .width = 20,
         .vocab = 31,
         .positions = 50,
         .scale = 2.0f,
         .dropout = 0.2f,
         .word_dropout = 0.4f,
         .learned = true,
         .twice = true},
    };
    for (uint32_t i = 0; i < COUNT_OF(cases); i++)
        check(*state, &cases[i], 25 + i);
}

static void gradients_of_two_uses_add_up(void **state) {
    struct embedding_case c = {.capacity = 300,
                               .rows = 101,
                               .width = 20,
                               .vocab = 31,
                               .positions = 50,
                               .scale = 2.0f,
                               .dropout = 0.5f,
                               .learned = true,
                               .twice = true};
    check(*state, &c, 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(embedding_matches_the_oracle),
        cmocka_unit_test(learned_positions_match_the_oracle),
        cmocka_unit_test(dropout_follows_the_counter_forward_and_backward),
        cmocka_unit_test(dropped_words_keep_their_positions),
        cmocka_unit_test(gradients_of_two_uses_add_up),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
