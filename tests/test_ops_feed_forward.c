// The feed-forward block against the oracle.
#include "ops/feed_forward.h"
#include "support/gpu.h"
#include "support/harness.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

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

// To multiples of 1/8, whose products and short sums a float holds exactly: what ReLU sees has the
// same sign on both sides.
static void round_to_eighths(struct matrix *m) {
    for (size_t i = 0; i < (size_t)m->rows * m->cols; i++)
        m->v[i] = floor(8 * m->v[i]) / 8;
}

enum { ROWS = 43 };

static void check_feed_forward(struct vks_device *device, enum activation activation,
                               uint32_t width, uint32_t hidden, uint64_t binding_bytes) {
    struct harness h = {.device = device, .binding_bytes = binding_bytes};
    struct arena arena = {0};
    struct rng rng = {harness_seed(), 200 + activation, 0};
    struct feed_forward_case c = {
        .capacity = 60,
        .rows = ROWS,
        .activation = activation,
        .in = {matrix_random(&arena, &rng, ROWS, width, 1),
               matrix_random(&arena, &rng, hidden, width, 0.5),
               matrix_random(&arena, &rng, 1, hidden, 1),
               matrix_random(&arena, &rng, width, hidden, 0.5),
               matrix_random(&arena, &rng, 1, width, 1)},
        .r = matrix_random(&arena, &rng, ROWS, width, 1),
        .y = matrix_new(&arena, ROWS, width),
    };
    round_to_eighths(c.in.x);
    round_to_eighths(c.in.weight1);
    round_to_eighths(c.in.bias1);
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
    check_feed_forward(*state, ACTIVATION_RELU, 12, 53, 0);
}

static void feed_forward_with_gelu_matches_the_oracle(void **state) {
    check_feed_forward(*state, ACTIVATION_GELU, 12, 53, 0);
}

static void feed_forward_with_silu_matches_the_oracle(void **state) {
    check_feed_forward(*state, ACTIVATION_SILU, 12, 53, 0);
}

// 19,456 bytes hold 64 rows of either weight, 76 by 75 and 75 by 76; activations of 60 rows fit.
static void weights_beyond_the_binding_range_are_seen_in_windows(void **state) {
    for (int activation = ACTIVATION_RELU; activation <= ACTIVATION_SILU; activation++)
        check_feed_forward(*state, activation, 75, 76, 64 * 76 * sizeof(float));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(feed_forward_with_relu_matches_the_oracle),
        cmocka_unit_test(feed_forward_with_gelu_matches_the_oracle),
        cmocka_unit_test(feed_forward_with_silu_matches_the_oracle),
        cmocka_unit_test(weights_beyond_the_binding_range_are_seen_in_windows),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
