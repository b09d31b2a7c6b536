// Residual addition, dropout and layer normalisation against the oracle.
#include "base/check.h"
#include "ops/linear.h"
#include "ops/residual_norm.h"
#include "support/gpu.h"
#include "support/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct norm_case {
    uint32_t capacity, rows, width;
    bool has_residual, keeps_stream;
    float dropout;
    struct matrix *x, *f, *gamma, *beta, *r_stream, *r;
    struct matrix *s, *y, *dx, *df, *dgamma, *dbeta;
};

static const float eps = 1e-5f;

static void make_case(struct arena *arena, struct rng *rng, struct norm_case *c) {
    c->x = matrix_random(arena, rng, c->rows, c->width, 1);
    c->f = matrix_random(arena, rng, c->rows, c->width, 1);
    c->gamma = matrix_random(arena, rng, 1, c->width, 1);
    c->beta = matrix_random(arena, rng, 1, c->width, 1);
    c->r = matrix_random(arena, rng, c->rows, c->width, 1);
    c->r_stream = matrix_random(arena, rng, c->rows, c->width, 1);
    c->s = matrix_like(arena, c->x);
    c->y = matrix_like(arena, c->x);
    c->dx = matrix_like(arena, c->x);
    c->df = matrix_like(arena, c->x);
    c->dgamma = matrix_like(arena, c->gamma);
    c->dbeta = matrix_like(arena, c->beta);
}

static void build(struct harness *h, void *user) {
    struct norm_case *c = user;
    struct dim rows = harness_dim(h, c->capacity, c->rows);
    const struct residual_norm_params params = {
        .x = harness_leaf(h, rows, c->x, c->dx),
        .f = c->has_residual ? harness_leaf(h, rows, c->f, c->df) : NULL,
        .gamma = harness_parameter(h, c->gamma, c->dgamma),
        .beta = harness_parameter(h, c->beta, c->dbeta),
        .eps = eps,
        .dropout = c->dropout,
        .keeps_stream = c->keeps_stream,
    };
    struct tensor *s, *y;
    op_residual_norm(h->graph, &params, &s, &y);
    harness_result(h, y, c->y, c->r);
    if (c->keeps_stream)
        harness_result(h, s, c->s, c->r_stream);
}

static void compare(struct arena *arena, const struct norm_case *c,
                    const struct oracle_dropout *dropout) {
    const struct oracle_norm oracle = {
        .x = c->x,
        .f = c->has_residual ? c->f : NULL,
        .factors = oracle_dropout_factors(arena, dropout, c->rows, c->width),
        .gamma = c->gamma,
        .beta = c->beta,
        .eps = (double)eps,
    };
    struct matrix *s = matrix_like(arena, c->x), *y = matrix_like(arena, c->x);
    const struct oracle_norm_gradient gradient = {
        matrix_like(arena, c->x), c->has_residual ? matrix_like(arena, c->x) : NULL,
        matrix_like(arena, c->gamma), matrix_like(arena, c->beta)};
    oracle_norm(&oracle, s, y);
    oracle_norm_gradient(&oracle, c->r, c->keeps_stream ? c->r_stream : NULL, &gradient);
    assert_forward("y", c->y, y);
    if (c->keeps_stream)
        assert_forward("s", c->s, s);
    assert_gradient("dx", c->dx, gradient.x);
    if (c->has_residual)
        assert_gradient("df", c->df, gradient.f);
    assert_gradient("dgamma", c->dgamma, gradient.gamma);
    assert_gradient("dbeta", c->dbeta, gradient.beta);
}

static void check(struct vks_device *device, struct norm_case *c, uint32_t stream) {
    struct harness h = {
        .device = device, .dropout_seed = 12345, .dropout_rank = 3, .dropout_step = stream};
    struct arena arena = {0};
    struct rng rng = {harness_seed(), stream, 0};
    make_case(&arena, &rng, c);
    harness_run(&h, build, c);
    compare(&arena, c, &(struct oracle_dropout){c->dropout, 12345, 3, stream, 0});
    arena_finish(&arena);
}

static void norm_of_a_sum_matches_the_oracle(void **state) {
    // One row, one past a chunk, none, widths under and over a wave.
    static const uint32_t shapes[][3] = {{1, 1, 4},      {50, 33, 36},    {40, 0, 8},
                                         {200, 131, 68}, {4000, 64, 512}, {8, 8, 1028}};
    for (uint32_t i = 0; i < COUNT_OF(shapes); i++) {
        struct norm_case c = {.capacity = shapes[i][0],
                              .rows = shapes[i][1],
                              .width = shapes[i][2],
                              .has_residual = true,
                              .keeps_stream = i % 2 == 1};
        check(*state, &c, i);
    }
}

static void norm_alone_matches_the_oracle(void **state) {
    struct norm_case c = {.capacity = 100, .rows = 37, .width = 44};
    check(*state, &c, 10);
}

static void dropout_follows_the_counter_forward_and_backward(void **state) {
    static const float probabilities[] = {0.1f, 0.5f, 0.9f};
    for (uint32_t i = 0; i < COUNT_OF(probabilities); i++) {
        struct norm_case c = {.capacity = 100,
                              .rows = 41,
                              .width = 52,
                              .has_residual = true,
                              .keeps_stream = true,
                              .dropout = probabilities[i]};
        check(*state, &c, 20 + i);
    }
}

// A pre-norm block: f = linear(norm(x)), and x is the stream.
struct block_case {
    struct norm_case first, second;
    struct matrix *weight, *dweight;
};

static void build_block(struct harness *h, void *user) {
    struct block_case *b = user;
    struct norm_case *c = &b->first, *d = &b->second;
    struct dim rows = harness_dim(h, c->capacity, c->rows);
    struct tensor *s, *f, *y;
    struct residual_norm_params params = {
        .x = harness_leaf(h, rows, c->x, c->dx),
        .gamma = harness_parameter(h, c->gamma, c->dgamma),
        .beta = harness_parameter(h, c->beta, c->dbeta),
        .eps = eps,
        .keeps_stream = true,
    };
    op_residual_norm(h->graph, &params, &s, &f);
    f = op_linear(h->graph, f, harness_parameter(h, b->weight, b->dweight), NULL);
    params.x = s;
    params.f = f;
    params.gamma = harness_parameter(h, d->gamma, d->dgamma);
    params.beta = harness_parameter(h, d->beta, d->dbeta);
    op_residual_norm(h->graph, &params, &s, &y);
    harness_result(h, y, d->y, d->r);
    harness_result(h, s, d->s, d->r_stream);
}

static void stream_gathers_gradients_of_both_norms(void **state) {
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {harness_seed(), 30, 0};
    struct block_case b = {.first = {.capacity = 64, .rows = 39, .width = 20},
                           .second = {.capacity = 64, .rows = 39, .width = 20}};
    make_case(&arena, &rng, &b.first);
    make_case(&arena, &rng, &b.second);
    b.weight = matrix_random(&arena, &rng, 20, 20, 0.3);
    b.dweight = matrix_like(&arena, b.weight);
    harness_run(&h, build_block, &b);
    struct matrix *s = matrix_like(&arena, b.first.x), *f = matrix_like(&arena, s);
    struct matrix *y = matrix_like(&arena, s), *df = matrix_like(&arena, s);
    struct matrix *normed = matrix_like(&arena, s), *dnormed = matrix_like(&arena, s);
    const struct oracle_norm first = {
        .x = b.first.x, .gamma = b.first.gamma, .beta = b.first.beta, .eps = (double)eps};
    const struct oracle_norm second = {
        .x = b.first.x,
        .f = f,
        .gamma = b.second.gamma,
        .beta = b.second.beta,
        .eps = (double)eps,
    };
    struct matrix *dx = matrix_like(&arena, s);
    const struct oracle_norm_gradient first_gradient = {
        dx, NULL, matrix_like(&arena, b.first.gamma), matrix_like(&arena, b.first.beta)};
    const struct oracle_norm_gradient second_gradient = {dx, df, matrix_like(&arena, b.first.gamma),
                                                         matrix_like(&arena, b.first.beta)};
    struct matrix *dweight = matrix_like(&arena, b.weight);
    oracle_norm(&first, s, normed);
    oracle_linear(normed, b.weight, NULL, f);
    oracle_norm(&second, s, y);
    oracle_norm_gradient(&second, b.second.r, b.second.r_stream, &second_gradient);
    oracle_linear_gradient(normed, b.weight, df,
                           &(struct oracle_linear_gradient){dnormed, dweight, NULL});
    oracle_norm_gradient(&first, dnormed, NULL, &first_gradient);
    assert_forward("s", b.second.s, s);
    assert_forward("y", b.second.y, y);
    assert_gradient("dx", b.first.dx, dx);
    assert_gradient("dweight", b.dweight, dweight);
    assert_gradient("first dgamma", b.first.dgamma, first_gradient.gamma);
    assert_gradient("second dgamma", b.second.dgamma, second_gradient.gamma);
    arena_finish(&arena);
}

static void row_alone_has_the_same_bits(void **state) {
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {harness_seed(), 40, 0};
    struct norm_case c = {
        .capacity = 100, .rows = 70, .width = 36, .has_residual = true, .keeps_stream = true};
    make_case(&arena, &rng, &c);
    harness_run(&h, build, &c);
    struct norm_case alone = c;
    alone.capacity = alone.rows = 1;
    make_case(&arena, &rng, &alone);
    alone.gamma = c.gamma;
    alone.beta = c.beta;
    for (uint32_t col = 0; col < c.width; col++) {
        AT(alone.x, 0, col) = AT(c.x, 61, col);
        AT(alone.f, 0, col) = AT(c.f, 61, col);
        AT(alone.r, 0, col) = AT(c.r, 61, col);
        AT(alone.r_stream, 0, col) = AT(c.r_stream, 61, col);
    }
    harness_run(&h, build, &alone);
    assert_same_rows("y", c.y, 61, alone.y);
    assert_same_rows("dx", c.dx, 61, alone.dx);
    arena_finish(&arena);
}

static void large_mean_keeps_precision(void **state) {
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {harness_seed(), 50, 0};
    struct norm_case c = {.capacity = 9, .rows = 9, .width = 64};
    make_case(&arena, &rng, &c);
    for (size_t i = 0; i < (size_t)c.rows * c.width; i++)
        c.x->v[i] = (double)(float)(c.x->v[i] + 300);
    harness_run(&h, build, &c);
    const struct oracle_norm oracle = {
        .x = c.x, .gamma = c.gamma, .beta = c.beta, .eps = (double)eps};
    struct matrix *s = matrix_like(&arena, c.x), *y = matrix_like(&arena, c.x);
    oracle_norm(&oracle, s, y);
    // The mean of 300 has an error of 2^-16 at most; a variance from squares would be off by 1 %.
    for (size_t i = 0; i < (size_t)c.rows * c.width; i++)
        assert_true(c.y->v[i] - y->v[i] < 3e-4 && y->v[i] - c.y->v[i] < 3e-4);
    arena_finish(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(norm_of_a_sum_matches_the_oracle),
        cmocka_unit_test(norm_alone_matches_the_oracle),
        cmocka_unit_test(dropout_follows_the_counter_forward_and_backward),
        cmocka_unit_test(stream_gathers_gradients_of_both_norms),
        cmocka_unit_test(row_alone_has_the_same_bits),
        cmocka_unit_test(large_mean_keeps_precision),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
