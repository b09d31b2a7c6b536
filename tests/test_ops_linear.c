// Linear layers and the feed-forward block against the oracle.
#include "ops/feed_forward.h"
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
    oracle_linear_gradient(c->x, c->weight, c->r,
                           &(struct oracle_linear_gradient){.bias = dbias});
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

struct feed_forward_case {
    uint32_t capacity, rows;
    enum activation activation;
    struct oracle_feed_forward in, gradient;
    struct matrix *r, *y;
};

static void build_feed_forward(struct harness *h, void *user) {
    struct feed_forward_case *c = user;
    struct dim rows = harness_dim(h, c->capacity, c->rows);
    const struct feed_forward_params params = {
        .x = harness_leaf(h, rows, c->in.x, c->gradient.x),
        .weight1 = harness_parameter(h, c->in.weight1, c->gradient.weight1),
        .bias1 = harness_parameter(h, c->in.bias1, c->gradient.bias1),
        .weight2 = harness_parameter(h, c->in.weight2, c->gradient.weight2),
        .bias2 = harness_parameter(h, c->in.bias2, c->gradient.bias2),
        .activation = c->activation,
    };
    harness_result(h, op_feed_forward(h->graph, &params), c->y, c->r);
}

static struct oracle_feed_forward like(struct arena *arena, const struct oracle_feed_forward *in) {
    return (struct oracle_feed_forward){
        matrix_like(arena, in->x), matrix_like(arena, in->weight1), matrix_like(arena, in->bias1),
        matrix_like(arena, in->weight2), matrix_like(arena, in->bias2)};
}

static void check_feed_forward(struct vks_device *device, enum activation activation) {
    enum { ROWS = 43, WIDTH = 12, HIDDEN = 53 };
    struct harness h = {.device = device};
    struct arena arena = {0};
    struct rng rng = {harness_seed(), 200 + activation, 0};
    struct feed_forward_case c = {
        .capacity = 200,
        .rows = ROWS,
        .activation = activation,
        .in = {matrix_random(&arena, &rng, ROWS, WIDTH, 1),
               matrix_random(&arena, &rng, HIDDEN, WIDTH, 0.5),
               matrix_random(&arena, &rng, 1, HIDDEN, 1),
               matrix_random(&arena, &rng, WIDTH, HIDDEN, 0.5),
               matrix_random(&arena, &rng, 1, WIDTH, 1)},
        .r = matrix_random(&arena, &rng, ROWS, WIDTH, 1),
        .y = matrix_new(&arena, ROWS, WIDTH),
    };
    c.gradient = like(&arena, &c.in);
    harness_run(&h, build_feed_forward, &c);
    struct oracle_feed_forward reference = like(&arena, &c.in);
    struct matrix *y = matrix_like(&arena, c.y);
    static const enum oracle_activation kinds[] = {ORACLE_RELU, ORACLE_GELU, ORACLE_SILU};
    oracle_feed_forward(&c.in, kinds[activation], y);
    oracle_feed_forward_gradient(&arena, &c.in, kinds[activation], c.r, &reference);
    assert_forward("y", c.y, y);
    assert_gradient("dx", c.gradient.x, reference.x);
    assert_gradient("dweight1", c.gradient.weight1, reference.weight1);
    assert_gradient("dbias1", c.gradient.bias1, reference.bias1);
    assert_gradient("dweight2", c.gradient.weight2, reference.weight2);
    assert_gradient("dbias2", c.gradient.bias2, reference.bias2);
    arena_finish(&arena);
}

static void feed_forward_with_relu_matches_the_oracle(void **state) {
    check_feed_forward(*state, ACTIVATION_RELU);
}

static void feed_forward_with_gelu_matches_the_oracle(void **state) {
    check_feed_forward(*state, ACTIVATION_GELU);
}

static void feed_forward_with_silu_matches_the_oracle(void **state) {
    check_feed_forward(*state, ACTIVATION_SILU);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_matches_the_oracle),
        cmocka_unit_test(gradients_of_two_uses_add_up),
        cmocka_unit_test(layers_with_one_weight_may_have_a_bias_each),
        cmocka_unit_test(row_alone_has_the_same_bits),
        cmocka_unit_test(feed_forward_with_relu_matches_the_oracle),
        cmocka_unit_test(feed_forward_with_gelu_matches_the_oracle),
        cmocka_unit_test(feed_forward_with_silu_matches_the_oracle),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
