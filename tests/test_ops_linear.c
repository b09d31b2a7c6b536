// Linear layers against the oracle.
#include "ops/linear.h"
#include "support/gpu.h"
#include "support/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct shape {
    uint32_t capacity, rows, inputs, outputs;
};

struct linear_case {
    struct shape shape;
    bool has_bias;
    struct matrix *x, *weight, *bias, *r;
    struct matrix *y, *dx, *dweight, *dbias;
};

static void build_linear(struct harness *h, void *user) {
    struct linear_case *c = user;
    struct dim rows = harness_dim(h, c->shape.capacity, c->shape.rows);
    struct tensor *x = harness_leaf(h, rows, c->x, c->dx);
    struct tensor *weight = harness_parameter(h, c->weight, c->dweight);
    struct tensor *bias = c->has_bias ? harness_parameter(h, c->bias, c->dbias) : NULL;
    harness_result(h, op_linear(h->graph, x, weight, bias), c->y, c->r);
}

static void make_linear(struct arena *arena, struct rng *rng, const struct shape *shape,
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

static void linear_matches_the_oracle(void **state) {
    // One row, primes, one past a tile, none, few rows (the short tile), many of them.
    static const struct shape shapes[] = {
        {1, 1, 3, 3},      {40, 33, 37, 65},  {64, 0, 12, 5},     {16, 16, 64, 129},
        {300, 97, 20, 31}, {16, 3, 131, 257}, {4096, 65, 33, 36}, {640, 611, 4, 8},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct harness h = {.device = *state};
        struct arena arena = {0};
        struct rng rng = {harness_seed(), (uint32_t)i, 0};
        struct linear_case c;
        make_linear(&arena, &rng, &shapes[i], &c);
        harness_run(&h, build_linear, &c);
        struct matrix *y = matrix_like(&arena, c.y), *dx = matrix_like(&arena, c.x);
        struct matrix *dweight = matrix_like(&arena, c.weight);
        struct matrix *dbias = matrix_like(&arena, c.bias);
        oracle_linear(c.x, c.weight, c.has_bias ? c.bias : NULL, y);
        oracle_linear_gradient(c.x, c.weight, c.r,
                               &(struct oracle_linear_gradient){dx, dweight, dbias});
        assert_forward("y", c.y, y);
        assert_gradient("dx", c.dx, dx);
        assert_gradient("dweight", c.dweight, dweight);
        if (c.has_bias)
            assert_gradient("dbias", c.dbias, dbias);
        arena_finish(&arena);
    }
}

static void weights_beyond_the_binding_range_are_seen_in_windows(void **state) {
    // 50 KiB hold 640 rows of the weights; activations of 12 rows fit.
    const struct shape shape = {12, 11, 19, 1039};
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {harness_seed(), 120, 0};
    struct linear_case whole, c;
    make_linear(&arena, &rng, &shape, &whole);
    harness_run(&h, build_linear, &whole);
    c = whole;
    c.y = matrix_like(&arena, c.y);
    c.dx = matrix_like(&arena, c.x);
    c.dweight = matrix_like(&arena, c.weight);
    c.dbias = matrix_like(&arena, c.bias);
    h.binding_bytes = 50 << 10;
    harness_run(&h, build_linear, &c);
    assert_same_bits("y", c.y, whole.y);
    assert_same_bits("dweight", c.dweight, whole.dweight);
    assert_same_bits("dbias", c.dbias, whole.dbias);
    // A sum over the weights' rows, window by window.
    struct matrix *dx = matrix_like(&arena, c.x);
    oracle_linear_gradient(c.x, c.weight, c.r, &(struct oracle_linear_gradient){.x = dx});
    assert_gradient("dx", c.dx, dx);
    arena_finish(&arena);
}

// Two layers with one weight and bias, and one input read twice.
static void build_tied(struct harness *h, void *user) {
    struct linear_case *c = user;
    struct dim rows = harness_dim(h, c->shape.capacity, c->shape.rows);
    struct tensor *x = harness_leaf(h, rows, c->x, c->dx);
    struct tensor *weight = harness_parameter(h, c->weight, c->dweight);
    struct tensor *bias = harness_parameter(h, c->bias, c->dbias);
    harness_result(h, op_linear(h->graph, x, weight, bias), c->y, c->r);
    harness_result(h, op_linear(h->graph, x, weight, bias), NULL, c->r);
}

static void gradients_of_two_uses_add_up(void **state) {
    const struct shape shape = {64, 35, 24, 41};
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {harness_seed(), 100, 0};
    struct linear_case c;
    make_linear(&arena, &rng, &shape, &c);
    harness_run(&h, build_tied, &c);
    const struct oracle_linear_gradient reference = {
        matrix_like(&arena, c.x), matrix_like(&arena, c.weight), matrix_like(&arena, c.bias)};
    oracle_linear_gradient(c.x, c.weight, c.r, &reference);
    oracle_linear_gradient(c.x, c.weight, c.r, &reference);
    assert_gradient("dx", c.dx, reference.x);
    assert_gradient("dweight", c.dweight, reference.weight);
    assert_gradient("dbias", c.dbias, reference.bias);
    arena_finish(&arena);
}

// Two layers with one weight, but a bias each.
struct shared_weight_case {
    struct linear_case first;
    struct matrix *bias, *dbias;
};

static void build_shared_weight(struct harness *h, void *user) {
    struct shared_weight_case *s = user;
    struct linear_case *c = &s->first;
    struct dim rows = harness_dim(h, c->shape.capacity, c->shape.rows);
    struct tensor *x = harness_leaf(h, rows, c->x, c->dx);
    struct tensor *weight = harness_parameter(h, c->weight, c->dweight);
    struct tensor *bias = harness_parameter(h, c->bias, c->dbias);
    struct tensor *other_bias = harness_parameter(h, s->bias, s->dbias);
    harness_result(h, op_linear(h->graph, x, weight, bias), c->y, c->r);
    harness_result(h, op_linear(h->graph, x, weight, other_bias), NULL, c->r);
}

static void layers_with_one_weight_may_have_a_bias_each(void **state) {
    const struct shape shape = {64, 35, 24, 41};
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {harness_seed(), 101, 0};
    struct shared_weight_case s;
    struct linear_case *c = &s.first;
    make_linear(&arena, &rng, &shape, c);
    s.bias = matrix_random(&arena, &rng, 1, shape.outputs, 1);
    s.dbias = matrix_like(&arena, s.bias);
    harness_run(&h, build_shared_weight, &s);
    struct matrix *dbias = matrix_like(&arena, c->bias);
    oracle_linear_gradient(c->x, c->weight, c->r, &(struct oracle_linear_gradient){.bias = dbias});
    assert_gradient("dbias", c->dbias, dbias);
    assert_gradient("the other dbias", s.dbias, dbias);
    arena_finish(&arena);
}

static void row_alone_has_the_same_bits(void **state) {
    const struct shape shape = {128, 77, 45, 70}, alone_shape = {1, 1, 45, 70};
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {harness_seed(), 102, 0};
    struct linear_case c, alone;
    make_linear(&arena, &rng, &shape, &c);
    c.has_bias = true;
    harness_run(&h, build_linear, &c);
    for (uint32_t row = 0; row < shape.rows; row += 38) {
        make_linear(&arena, &rng, &alone_shape, &alone);
        alone.has_bias = true;
        alone.weight = c.weight;
        alone.bias = c.bias;
        for (uint32_t i = 0; i < shape.inputs; i++)
            AT(alone.x, 0, i) = AT(c.x, row, i);
        for (uint32_t i = 0; i < shape.outputs; i++)
            AT(alone.r, 0, i) = AT(c.r, row, i);
        harness_run(&h, build_linear, &alone);
        assert_same_rows("y", c.y, row, alone.y);
        assert_same_rows("dx", c.dx, row, alone.dx);
    }
    arena_finish(&arena);
}

static void narrow_layers_are_rejected(void **state) {
    static const uint32_t shapes[][2] = {{1, 8}, {8, 2}, {2, 1}};
    struct vks_device *device = *state;
    const struct vks_log *log = device->log;
    device->log = NULL;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct graph *graph = NULL;
        assert_int_equal(graph_create(device, &graph), VKS_OK);
        struct tensor *x = graph_activation(graph, graph_dim(graph, 8), shapes[i][0]);
        struct tensor *weight =
            graph_activation(graph, graph_dim_fixed(graph, shapes[i][1]), shapes[i][0]);
        assert_null(op_linear(graph, x, weight, NULL));
        assert_int_equal(graph->status, VKS_ERR_SHAPE);
        graph_destroy(&graph);
    }
    device->log = log;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_matches_the_oracle),
        cmocka_unit_test(weights_beyond_the_binding_range_are_seen_in_windows),
        cmocka_unit_test(gradients_of_two_uses_add_up),
        cmocka_unit_test(layers_with_one_weight_may_have_a_bias_each),
        cmocka_unit_test(row_alone_has_the_same_bits),
        cmocka_unit_test(narrow_layers_are_rejected),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
