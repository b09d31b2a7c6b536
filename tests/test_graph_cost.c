// What dispatches are said to compute and to move.
#include "graph/cost.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { ROWS, COLS, CAPACITY = 64, STRIDE = 12 };

// 10 rows of 64, and 5 fixed ones.
static const uint32_t dims[] = {[ROWS] = 10, [COLS] = 5};
static const struct tensor x = {.rows = {ROWS, CAPACITY}, .cols = 10, .stride = STRIDE};
static const struct tensor y = {.rows = {COLS, 5}, .cols = 10, .stride = STRIDE};
static const double ROW_BYTES = STRIDE * sizeof(float);

static void rows_that_there_are_count(void **state) {
    (void)state;
    const struct op_dispatch dispatch = {
        .binds = {[1] = {&x, ACCESS_READ}, [2] = {&y, ACCESS_WRITE}},
        .flops = 640,
        .items = {ROWS, CAPACITY}};
    struct cost cost = cost_of_dispatch(&dispatch, dims, NULL);
    assert_true(cost.flops == 100);
    assert_true(cost.bytes == (10 + 5) * ROW_BYTES);
}

static void work_without_items_is_fixed(void **state) {
    (void)state;
    const struct op_dispatch dispatch = {.flops = 640};
    assert_true(cost_of_dispatch(&dispatch, dims, NULL).flops == 640);
}

static void update_moves_twice_and_an_operand_once(void **state) {
    (void)state;
    const struct op_dispatch dispatch = {
        .binds = {[1] = {&x, ACCESS_UPDATE}, [2] = {&y, ACCESS_READ}, [5] = {&y, ACCESS_READ}}};
    assert_true(cost_of_dispatch(&dispatch, dims, NULL).bytes == (2 * 10 + 5) * ROW_BYTES);
}

static void window_shows_a_part(void **state) {
    (void)state;
    struct op_dispatch dispatch = {.binds = {[1] = {&x, ACCESS_READ}},
                                   .windows = {[1] = {.first_row = 8, .num_rows = 16}}};
    assert_true(cost_of_dispatch(&dispatch, dims, NULL).bytes == 2 * ROW_BYTES);
    dispatch.windows[1] = (struct op_window){.first_row = 16, .num_rows = 16};
    assert_true(cost_of_dispatch(&dispatch, dims, NULL).bytes == 0);
    dispatch.windows[1] = (struct op_window){.first_row = 0, .num_rows = 4};
    assert_true(cost_of_dispatch(&dispatch, dims, NULL).bytes == 4 * ROW_BYTES);
}

static void pairs_come_from_the_table(void **state) {
    (void)state;
    const uint32_t blocks[5][4] = {{0, 8, 0, 9}, {8, 1, 0, 9}, {0, 0, 3, 5}, {0, 1, 4, 4}};
    const struct tensor table = {.rows = {COLS, 5}, .cols = 4, .stride = 4};
    const struct op_dispatch dispatch = {
        .binds = {[1] = {&x, ACCESS_READ}}, .flops = 7, .pairs = &table, .gathered = 1u << 1};
    struct cost cost = cost_of_dispatch(&dispatch, dims, blocks);
    assert_true(cost.flops == 7 * (72 + 9 + 2));
    assert_true(cost.bytes == (72 + 9 + 2) * ROW_BYTES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_there_are_count),
        cmocka_unit_test(work_without_items_is_fixed),
        cmocka_unit_test(update_moves_twice_and_an_operand_once),
        cmocka_unit_test(window_shows_a_part),
        cmocka_unit_test(pairs_come_from_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
