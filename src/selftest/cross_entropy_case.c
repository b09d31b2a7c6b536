#include "selftest/cross_entropy_case.h"

#include "base/check.h"
#include "base/log.h"
#include "selftest/operators.h"

#include <string.h>

void loss_case_make(struct arena *arena, struct rng *rng, struct loss_case *c) {
    c->h = matrix_random(arena, rng, c->rows, c->width, 1);
    c->weight = matrix_random(arena, rng, c->vocab, c->width, 1);
    c->bias = matrix_random(arena, rng, 1, c->vocab, 1);
    c->losses = matrix_new(arena, c->rows, 1);
    c->dh = c->without_gradient ? NULL : matrix_like(arena, c->h);
    c->dweight = c->without_gradient ? NULL : matrix_like(arena, c->weight);
    c->dbias = c->without_gradient ? NULL : matrix_like(arena, c->bias);
    c->labels = ARENA_NEW(arena, uint32_t, c->rows + 1);
    CHECK(c->labels); // the arena has room
    for (uint32_t row = 0; row < c->rows; row++)
        do
            c->labels[row] = rng_below(rng, c->vocab);
        while (c->labels[row] == c->pad);
    c->weights = NULL;
    if (!c->weighted)
        return;
    c->weights = ARENA_NEW(arena, float, c->rows + 1);
    CHECK(c->weights);
    for (uint32_t row = 0; row < c->rows; row++)
        c->weights[row] = row % 5 == 3 ? 0 : (float)(2 * rng_uniform(rng));
}

void loss_case_build(struct harness *h, void *user) {
    struct loss_case *c = user;
    struct dim rows = harness_dim(h, c->capacity, c->rows);
    const struct cross_entropy_params params = {
        .output = {.h = harness_hidden(h, rows, c->h, c->dh),
                   .weight = harness_weight(h, c->weight, c->dweight),
                   .bias = c->has_bias ? harness_parameter(h, c->bias, c->dbias) : NULL},
        .labels = harness_uints(h, rows, 1, c->labels, c->rows),
        .weights = c->weighted ? harness_uints(h, rows, 1, (uint32_t *)c->weights, c->rows) : NULL,
        .pad = c->pad,
        .smoothing = c->smoothing,
        .chunk_rows = c->chunk_rows,
        .with_gradient = !c->without_gradient,
    };
    struct tensor *losses = op_cross_entropy(h->graph, &params);
    harness_result(h, losses, c->losses, NULL);
    harness_words(h, op_sum(h->graph, losses), &c->total, 1);
}

static void compare_total(struct check *check, const struct loss_case *c,
                          const struct matrix *losses) {
    struct matrix *total = matrix_new(check->arena, 1, 1), *sum = matrix_new(check->arena, 1, 1);
    float word;
    memcpy(&word, &c->total, sizeof word);
    total->v[0] = (double)word;
    for (uint32_t row = 0; row < c->rows; row++)
        sum->v[0] += AT(losses, row, 0);
    check_compare(check, CHECK_FORWARD, "sum", total, sum);
}

static void compare_gradient(struct check *check, const struct loss_case *c,
                             const struct oracle_cross_entropy *oracle) {
    struct arena *arena = check->arena;
    struct matrix *dlogits = matrix_like(arena, oracle->logits);
    const struct oracle_linear_gradient gradient = {
        matrix_like(arena, c->h), matrix_like(arena, c->weight), matrix_like(arena, c->bias)};
    oracle_cross_entropy_gradient(oracle, dlogits);
    for (size_t i = 0; i < (size_t)c->rows * c->vocab; i++)
        dlogits->v[i] *= c->loss_scale != 0.0f ? (double)c->loss_scale : 1;
    oracle_linear_gradient(c->h, c->weight, dlogits, &gradient);
    // Some kernels round the gradient of the logits.
    check_compare_rounded(check, CHECK_GRADIENT, "dh", c->dh, gradient.x);
    check_compare_rounded(check, CHECK_GRADIENT, "dweight", c->dweight, gradient.weight);
    if (c->has_bias)
        check_compare_rounded(check, CHECK_GRADIENT, "dbias", c->dbias, gradient.bias);
}

enum vks_status loss_case_check(struct check *check, uint32_t stream, struct loss_case *c) {
    struct harness h = {.device = check->device, .loss_scale = c->loss_scale};
    struct arena *arena = check->arena;
    struct rng rng = {check->seed, stream, 0};
    loss_case_make(arena, &rng, c);
    matrix_round(c->h, check->element);
    matrix_round(c->weight, check->element);
    TRY(check_run(check, &h, loss_case_build, c));
    struct matrix *logits = matrix_new(arena, c->rows, c->vocab);
    struct matrix *losses = matrix_like(arena, c->losses);
    const struct oracle_cross_entropy oracle = {logits, c->labels, c->pad, (double)c->smoothing,
                                                c->weights};
    oracle_linear(c->h, c->weight, c->has_bias ? c->bias : NULL, logits);
    oracle_cross_entropy(&oracle, losses);
    check_compare(check, CHECK_FORWARD, "losses", c->losses, losses);
    compare_total(check, c, losses);
    if (!c->without_gradient)
        compare_gradient(check, c, &oracle);
    return VKS_OK;
}

enum vks_status cross_entropy_selftest(struct check *check) {
    // In one piece, and in chunks of which the last is not full.
    struct loss_case cases[] = {
        {.capacity = 100, .rows = 100, .width = 36, .vocab = 1030, .pad = 1029, .smoothing = 0.1f},
        {.capacity = 256,
         .rows = 75,
         .width = 12,
         .vocab = 53,
         .pad = 2,
         .chunk_rows = 32,
         .has_bias = true,
         .weighted = true,
         .smoothing = 0.1f},
    };
    for (uint32_t i = 0; i < COUNT_OF(cases); i++)
        TRY(loss_case_check(check, i, &cases[i]));
    return VKS_OK;
}
