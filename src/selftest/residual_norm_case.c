#include "selftest/residual_norm_case.h"

#include "base/check.h"
#include "base/log.h"
#include "ops/residual_norm.h"
#include "selftest/operators.h"

void norm_case_make(struct arena *arena, struct rng *rng, struct norm_case *c) {
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

void norm_case_build(struct harness *h, void *user) {
    struct norm_case *c = user;
    struct dim rows = harness_dim(h, c->capacity, c->rows);
    const struct residual_norm_params params = {
        .x = harness_hidden(h, rows, c->x, c->dx),
        .f = c->has_residual ? harness_hidden(h, rows, c->f, c->df) : NULL,
        .gamma = harness_parameter(h, c->gamma, c->dgamma),
        .beta = harness_parameter(h, c->beta, c->dbeta),
        .eps = NORM_CASE_EPS,
        .dropout = c->dropout,
        .keeps_stream = c->keeps_stream,
    };
    struct tensor *s, *y;
    op_residual_norm(h->graph, &params, &s, &y);
    harness_result(h, y, c->y, c->r);
    if (c->keeps_stream)
        harness_result(h, s, c->s, c->r_stream);
}

static void compare(struct check *check, const struct norm_case *c,
                    const struct oracle_dropout *dropout) {
    struct arena *arena = check->arena;
    const struct oracle_norm oracle = {
        .x = c->x,
        .f = c->has_residual ? c->f : NULL,
        .factors = oracle_dropout_factors(arena, dropout, c->rows, c->width),
        .gamma = c->gamma,
        .beta = c->beta,
        .eps = (double)NORM_CASE_EPS,
    };
    struct matrix *s = matrix_like(arena, c->x), *y = matrix_like(arena, c->x);
    const struct oracle_norm_gradient gradient = {
        matrix_like(arena, c->x), c->has_residual ? matrix_like(arena, c->x) : NULL,
        matrix_like(arena, c->gamma), matrix_like(arena, c->beta)};
    oracle_norm(&oracle, s, y);
    oracle_norm_gradient(arena, &oracle, c->r, c->keeps_stream ? c->r_stream : NULL, &gradient);
    check_compare_rounded(check, CHECK_FORWARD, "y", c->y, y);
    if (c->keeps_stream)
        check_compare_rounded(check, CHECK_FORWARD, "s", c->s, s);
    check_compare_rounded(check, CHECK_GRADIENT, "dx", c->dx, gradient.x);
    if (c->has_residual)
        check_compare_rounded(check, CHECK_GRADIENT, "df", c->df, gradient.f);
    check_compare_rounded(check, CHECK_GRADIENT, "dgamma", c->dgamma, gradient.gamma);
    check_compare_rounded(check, CHECK_GRADIENT, "dbeta", c->dbeta, gradient.beta);
}

enum vks_status norm_case_check(struct check *check, uint32_t stream, struct norm_case *c) {
    const struct oracle_dropout dropout = {c->dropout, 12345, 3, stream, 0};
    struct harness h = {.device = check->device,
                        .dropout_seed = dropout.seed,
                        .dropout_rank = dropout.rank,
                        .dropout_step = dropout.step};
    struct rng rng = {check->seed, stream, 0};
    norm_case_make(check->arena, &rng, c);
    matrix_round(c->x, check->element);
    matrix_round(c->f, check->element);
    TRY(check_run(check, &h, norm_case_build, c));
    compare(check, c, &dropout);
    return VKS_OK;
}

enum vks_status residual_norm_selftest(struct check *check) {
    // The norm alone; of a sum; with a stream and dropout.
    struct norm_case cases[] = {
        {.capacity = 100, .rows = 37, .width = 44},
        {.capacity = 200, .rows = 131, .width = 512, .has_residual = true},
        {.capacity = 100,
         .rows = 41,
         .width = 68,
         .has_residual = true,
         .keeps_stream = true,
         .dropout = 0.1f},
    };
    for (uint32_t i = 0; i < COUNT_OF(cases); i++)
        TRY(norm_case_check(check, i, &cases[i]));
    return VKS_OK;
}
