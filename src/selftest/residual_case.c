#include "selftest/residual_case.h"

#include "base/check.h"
#include "base/log.h"
#include "ops/residual.h"
#include "selftest/operators.h"

struct built_case {
    const struct residual_case *c;
    struct matrix *x, *f, *r, *s, *dx, *df;
};

static void build(struct harness *h, void *user) {
    struct built_case *b = user;
    struct dim rows = harness_dim(h, b->c->capacity, b->c->rows);
    struct tensor *x = harness_hidden(h, rows, b->x, b->dx);
    struct tensor *f = b->c->same_input ? x : harness_hidden(h, rows, b->f, b->df);
    harness_result(h, op_residual(h->graph, x, f, b->c->dropout), b->s, b->r);
}

enum vks_status residual_case_check(struct check *check, uint32_t stream,
                                    const struct residual_case *c) {
    const struct oracle_dropout dropout = {c->dropout, 12345, 3, stream, 0};
    struct harness h = {.device = check->device,
                        .dropout_seed = dropout.seed,
                        .dropout_rank = dropout.rank,
                        .dropout_step = dropout.step};
    struct arena *arena = check->arena;
    struct rng rng = {check->seed, stream, 0};
    struct built_case b = {.c = c, .x = matrix_random(arena, &rng, c->rows, c->width, 1)};
    b.f = c->same_input ? b.x : matrix_random(arena, &rng, c->rows, c->width, 1);
    matrix_round(b.x, check->element);
    matrix_round(b.f, check->element);
    b.r = matrix_random(arena, &rng, c->rows, c->width, 1);
    b.s = matrix_like(arena, b.x);
    b.dx = matrix_like(arena, b.x);
    b.df = matrix_like(arena, b.x);
    TRY(check_run(check, &h, build, &b));
    const struct matrix *factors = oracle_dropout_factors(arena, &dropout, c->rows, c->width);
    struct matrix *s = matrix_like(arena, b.x), *dx = matrix_copy(arena, b.r);
    struct matrix *df = c->same_input ? dx : matrix_like(arena, b.x);
    for (uint32_t row = 0; row < c->rows; row++)
        for (uint32_t col = 0; col < c->width; col++) {
            double factor = factors ? AT(factors, row, col) : 1;
            AT(s, row, col) = AT(b.x, row, col) + factor * AT(b.f, row, col);
            AT(df, row, col) += factor * AT(b.r, row, col);
        }
    check_compare(check, CHECK_FORWARD, "s", b.s, s);
    check_compare(check, CHECK_GRADIENT, "dx", b.dx, dx);
    if (!c->same_input)
        check_compare(check, CHECK_GRADIENT, "df", b.df, df);
    return VKS_OK;
}

enum vks_status residual_selftest(struct check *check) {
    static const struct residual_case cases[] = {
        {.capacity = 100, .rows = 37, .width = 44},
        {.capacity = 64, .rows = 41, .width = 68, .dropout = 0.1f},
    };
    for (uint32_t i = 0; i < COUNT_OF(cases); i++)
        TRY(residual_case_check(check, i, &cases[i]));
    return VKS_OK;
}
