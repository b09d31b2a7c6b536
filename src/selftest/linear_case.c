#include "selftest/linear_case.h"

#include "base/check.h"
#include "base/log.h"
#include "ops/linear.h"
#include "selftest/operators.h"

void linear_case_make(struct arena *arena, struct rng *rng, const struct linear_shape *shape,
                      struct linear_case *c) {
    c->shape = *shape;
    c->has_bias = shape->outputs % 2 == 1;
    c->x = matrix_random(arena, rng, shape->rows, shape->inputs, 1);
    c->weight = matrix_random(arena, rng, shape->outputs, shape->inputs, 1);
    c->bias = matrix_random(arena, rng, 1, shape->outputs, 1);
    c->r = matrix_random(arena, rng, shape->rows, shape->outputs, 1);
    c->y = matrix_like(arena, c->r);
    c->dx = matrix_like(arena, c->x);
    c->dweight = matrix_like(arena, c->weight);
    c->dbias = matrix_like(arena, c->bias);
}

void linear_case_build(struct harness *h, void *user) {
    struct linear_case *c = user;
    struct dim rows = harness_dim(h, c->shape.capacity, c->shape.rows);
    struct tensor *x = harness_hidden(h, rows, c->x, c->dx);
    struct tensor *weight = harness_weight(h, c->weight, c->dweight);
    struct tensor *bias = c->has_bias ? harness_parameter(h, c->bias, c->dbias) : NULL;
    harness_result(h, op_linear(h->graph, x, weight, bias), c->y, c->r);
}

enum vks_status linear_case_check(struct check *check, uint32_t stream,
                                  const struct linear_shape *shape) {
    struct harness h = {.device = check->device};
    struct arena *arena = check->arena;
    struct rng rng = {check->seed, stream, 0};
    struct linear_case c;
    linear_case_make(arena, &rng, shape, &c);
    matrix_round(c.x, check->element);
    matrix_round(c.weight, check->element);
    matrix_round(c.r, check->element); // some kernels round it
    TRY(check_run(check, &h, linear_case_build, &c));
    struct matrix *y = matrix_like(arena, c.y), *dx = matrix_like(arena, c.x);
    struct matrix *dweight = matrix_like(arena, c.weight), *dbias = matrix_like(arena, c.bias);
    oracle_linear(c.x, c.weight, c.has_bias ? c.bias : NULL, y);
    oracle_linear_gradient(c.x, c.weight, c.r,
                           &(struct oracle_linear_gradient){dx, dweight, dbias});
    check_compare_rounded(check, CHECK_FORWARD, "y", c.y, y);
    check_compare(check, CHECK_GRADIENT, "dx", c.dx, dx);
    check_compare(check, CHECK_GRADIENT, "dweight", c.dweight, dweight);
    if (c.has_bias)
        check_compare(check, CHECK_GRADIENT, "dbias", c.dbias, dbias);
    return VKS_OK;
}

enum vks_status linear_selftest(struct check *check) {
    // Both tiles, more than one of each; an odd shape, and that of a small layer.
    static const struct linear_shape shapes[] = {
        {16, 3, 131, 257}, {300, 97, 20, 31}, {640, 611, 128, 256}};
    for (uint32_t i = 0; i < COUNT_OF(shapes); i++)
        TRY(linear_case_check(check, i, &shapes[i]));
    return VKS_OK;
}
