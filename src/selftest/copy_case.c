#include "selftest/copy_case.h"

#include "base/log.h"
#include "ops/conversion.h"
#include "ops/copy.h"
#include "ops/decoding.h"
#include "selftest/operators.h"

#include <math.h>
#include <string.h>

enum { ROWS = 77, COLS = 36, FIRST_COL = 8, NUM_COLS = 20 };

struct copy_case {
    struct matrix *x;
    uint32_t places[ROWS], places_again[ROWS]; // the second time, odd rows go nowhere
    uint32_t words[ROWS * NUM_COLS];
    struct matrix *halves;
};

static void build(struct harness *h, void *user) {
    struct copy_case *c = user;
    struct dim rows = harness_dim(h, ROWS, ROWS);
    struct tensor *x = harness_leaf(h, rows, c->x, NULL);
    struct tensor *places = harness_uints(h, rows, 1, c->places, ROWS);
    struct tensor *moved = graph_activation(h->graph, rows, NUM_COLS);
    struct tensor *again = harness_uints(h, rows, 1, c->places_again, ROWS);
    op_scatter_rows(h->graph, x, FIRST_COL, places, moved);
    op_scatter_rows(h->graph, x, 0, again, moved);
    harness_words(h, op_copy_out(h->graph, moved), c->words, ROWS);
    struct tensor *halves = graph_activation_as(h->graph, ELEMENT_F16, rows, NUM_COLS);
    op_scatter_rows(h->graph, x, FIRST_COL, places, halves);
    harness_result(h, op_convert(h->graph, halves, ELEMENT_F32), c->halves, NULL);
}

// Below 2^-14, where float16 has fewer bits, drivers round once more (shaders/lib/half.glsl).
static bool is_half_of(double value, double expected) {
    return fabs(expected) < 0x1p-14 ? fabs(value - expected) <= 0x1p-24 : value == expected;
}

enum vks_status copy_case_check(struct check *check) {
    struct harness h = {.device = check->device};
    struct rng rng = {check->seed, 60, 0};
    struct copy_case c = {.x = matrix_random(check->arena, &rng, ROWS, COLS, 1),
                          .halves = matrix_new(check->arena, ROWS, NUM_COLS)};
    for (uint32_t row = 0; row < ROWS; row++) {
        c.places[row] = (row * 10 + 3) % ROWS; // 10 and 77 have no common divisor
        c.places_again[row] = row % 2 ? ROWS + row : c.places[row];
    }
    TRY(check_run(check, &h, build, &c));
    struct matrix *rounded = matrix_copy(check->arena, c.x);
    matrix_round(rounded, ELEMENT_F16);
    bool is_exact = true;
    for (uint32_t row = 0; row < ROWS; row++) {
        for (uint32_t col = 0; col < NUM_COLS; col++) {
            float value;
            memcpy(&value, &c.words[c.places[row] * NUM_COLS + col], sizeof value);
            is_exact &= (double)value == AT(c.x, row, (row % 2 ? FIRST_COL : 0) + col);
            is_exact &=
                is_half_of(AT(c.halves, c.places[row], col), AT(rounded, row, FIRST_COL + col));
        }
    }
    check_exact(check, "rows", is_exact);
    return VKS_OK;
}

enum vks_status copy_selftest(struct check *check) {
    return copy_case_check(check);
}
