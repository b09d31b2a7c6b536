#include "selftest/conversion_case.h"

#include "base/log.h"
#include "ops/conversion.h"
#include "selftest/operators.h"

enum { ROWS = 77, COLS = 35 };

struct conversion_case {
    struct matrix *x, *y;
    uint32_t element;
};

static void build(struct harness *h, void *user) {
    struct conversion_case *c = user;
    struct dim rows = harness_dim(h, ROWS + 3, ROWS);
    struct tensor *x = harness_leaf(h, rows, c->x, NULL);
    struct tensor *back = graph_activation_as(h->graph, ELEMENT_F32, rows, COLS);
    struct tensor *halves = op_convert(h->graph, x, c->element);
    if (!halves || !back)
        return;
    op_convert_to(h->graph, halves, back);
    harness_result(h, back, c->y, NULL);
}

enum vks_status conversion_case_check(struct check *check, uint32_t element) {
    struct harness h = {.device = check->device};
    struct rng rng = {check->seed, element, 0};
    struct conversion_case c = {.x = matrix_random(check->arena, &rng, ROWS, COLS, 1),
                                .y = matrix_new(check->arena, ROWS, COLS),
                                .element = element};
    TRY(check_run(check, &h, build, &c));
    struct matrix *rounded = matrix_copy(check->arena, c.x);
    matrix_round(rounded, element);
    bool is_exact = true;
    for (uint32_t row = 0; row < ROWS; row++)
        for (uint32_t col = 0; col < COLS; col++)
            is_exact &= AT(c.y, row, col) == AT(rounded, row, col);
    check_exact(check, element == ELEMENT_F16 ? "float16" : "bfloat16", is_exact);
    return VKS_OK;
}

enum vks_status conversion_selftest(struct check *check) {
    TRY(conversion_case_check(check, ELEMENT_F16));
    return conversion_case_check(check, ELEMENT_BF16);
}
