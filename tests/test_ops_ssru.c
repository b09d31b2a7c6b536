// Simpler simple recurrent units against the oracle.
#include "base/check.h"
#include "selftest/ssru_case.h"
#include "support/gpu.h"
#include "support/variants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

// One row, none, many.
static const uint32_t offsets[] = {0, 1, 1, 8, 9, 80};

enum { NUM_SEQUENCES = COUNT_OF(offsets) - 1 };

static void sequences_match_the_oracle(void **state) {
    static const uint32_t widths[] = {4, 36, 260};
    for (uint32_t i = 0; i < COUNT_OF(widths); i++) {
        struct arena arena = {0};
        struct check check = variants_check(*state, &arena);
        struct ssru_case c = {.capacity = 100,
                              .width = widths[i],
                              .num_sequences = NUM_SEQUENCES,
                              .offsets = offsets};
        assert_check(ssru_case_check(&check, i, &c), &check);
    }
}

static void gradients_of_one_input_add_up(void **state) {
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    struct ssru_case c = {.capacity = 80,
                          .width = 20,
                          .num_sequences = NUM_SEQUENCES,
                          .offsets = offsets,
                          .same_input = true};
    assert_check(ssru_case_check(&check, 10, &c), &check);
}

static void no_sequences_give_nothing(void **state) {
    static const uint32_t none[] = {0};
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    struct ssru_case c = {.capacity = 16, .width = 8, .offsets = none};
    assert_check(ssru_case_check(&check, 20, &c), &check);
}

static void sequence_alone_has_the_same_bits(void **state) {
    static const uint32_t one[] = {0, 7};
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {variants_seed(), 30, 0};
    struct ssru_case c = {
        .capacity = 100, .width = 36, .num_sequences = NUM_SEQUENCES, .offsets = offsets};
    ssru_case_make(&arena, &rng, &c);
    variants_run(&h, ssru_case_build, &c);
    struct ssru_case alone = c;
    alone.capacity = 7;
    alone.num_sequences = 1;
    alone.offsets = one;
    ssru_case_make(&arena, &rng, &alone);
    for (uint32_t row = 0; row < 7; row++)
        for (uint32_t col = 0; col < c.width; col++) {
            AT(alone.x, row, col) = AT(c.x, 1 + row, col);
            AT(alone.f, row, col) = AT(c.f, 1 + row, col);
            AT(alone.r, row, col) = AT(c.r, 1 + row, col);
        }
    variants_run(&h, ssru_case_build, &alone);
    assert_same_rows("y", c.y, 1, alone.y);
    assert_same_rows("dx", c.dx, 1, alone.dx);
    assert_same_rows("df", c.df, 1, alone.df);
    arena_finish(&arena);
}

static void steps_match_the_oracle(void **state) {
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    assert_check(ssru_step_case_check(&check, 36), &check);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_match_the_oracle),
        cmocka_unit_test(gradients_of_one_input_add_up),
        cmocka_unit_test(no_sequences_give_nothing),
        cmocka_unit_test(sequence_alone_has_the_same_bits),
        cmocka_unit_test(steps_match_the_oracle),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
