// Residual addition, dropout and layer normalisation against the oracle.
#include "base/check.h"
#include "ops/linear.h"
#include "ops/residual_norm.h"
#include "selftest/residual_norm_case.h"
#include "support/gpu.h"
#include "support/variants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void check(struct vks_device *device, struct norm_case *c, uint32_t stream) {
    struct arena arena = {0};
    struct check check = variants_check(device, &arena);
    assert_check(norm_case_check(&check, stream, c), &check);
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
        .eps = NORM_CASE_EPS,
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
    struct rng rng = {variants_seed(), 30, 0};
    struct block_case b = {.first = {.capacity = 64, .rows = 39, .width = 20},
                           .second = {.capacity = 64, .rows = 39, .width = 20}};
    norm_case_make(&arena, &rng, &b.first);
    norm_case_make(&arena, &rng, &b.second);
    b.weight = matrix_random(&arena, &rng, 20, 20, 0.3);
    b.dweight = matrix_like(&arena, b.weight);
    variants_run(&h, build_block, &b);
    struct matrix *s = matrix_like(&arena, b.first.x), *f = matrix_like(&arena, s);
    struct matrix *y = matrix_like(&arena, s), *df = matrix_like(&arena, s);
    struct matrix *normed = matrix_like(&arena, s), *dnormed = matrix_like(&arena, s);
    const struct oracle_norm first = {
        .x = b.first.x, .gamma = b.first.gamma, .beta = b.first.beta, .eps = (double)NORM_CASE_EPS};
    const struct oracle_norm second = {
        .x = b.first.x,
        .f = f,
        .gamma = b.second.gamma,
        .beta = b.second.beta,
        .eps = (double)NORM_CASE_EPS,
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
    oracle_norm_gradient(&arena, &second, b.second.r, b.second.r_stream, &second_gradient);
    oracle_linear_gradient(normed, b.weight, df,
                           &(struct oracle_linear_gradient){dnormed, dweight, NULL});
    oracle_norm_gradient(&arena, &first, dnormed, NULL, &first_gradient);
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
    struct rng rng = {variants_seed(), 40, 0};
    struct norm_case c = {
        .capacity = 100, .rows = 70, .width = 36, .has_residual = true, .keeps_stream = true};
    norm_case_make(&arena, &rng, &c);
    variants_run(&h, norm_case_build, &c);
    struct norm_case alone = c;
    alone.capacity = alone.rows = 1;
    norm_case_make(&arena, &rng, &alone);
    alone.gamma = c.gamma;
    alone.beta = c.beta;
    for (uint32_t col = 0; col < c.width; col++) {
        AT(alone.x, 0, col) = AT(c.x, 61, col);
        AT(alone.f, 0, col) = AT(c.f, 61, col);
        AT(alone.r, 0, col) = AT(c.r, 61, col);
        AT(alone.r_stream, 0, col) = AT(c.r_stream, 61, col);
    }
    variants_run(&h, norm_case_build, &alone);
    assert_same_rows("y", c.y, 61, alone.y);
    assert_same_rows("dx", c.dx, 61, alone.dx);
    arena_finish(&arena);
}

static void large_mean_keeps_precision(void **state) {
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {variants_seed(), 50, 0};
    struct norm_case c = {.capacity = 9, .rows = 9, .width = 64};
    norm_case_make(&arena, &rng, &c);
    for (size_t i = 0; i < (size_t)c.rows * c.width; i++)
        c.x->v[i] = (double)(float)(c.x->v[i] + 300);
    variants_run(&h, norm_case_build, &c);
    const struct oracle_norm oracle = {
        .x = c.x, .gamma = c.gamma, .beta = c.beta, .eps = (double)NORM_CASE_EPS};
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
