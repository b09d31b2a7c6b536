#include "selftest/feed_forward_case.h"

#include "base/log.h"
#include "selftest/operators.h"

#include <math.h>

enum { SPARE_ROWS = 17, ROWS = 43 };

// The device's dropout is that of the graph's first stream within blocks.
static const struct oracle_dropout DROPOUT = {
    .seed = 321, .rank = 1, .step = 9, .stream = 1u << 31};

struct feed_forward_case {
    const struct feed_forward_case_params *params;
    struct oracle_feed_forward in, gradient;
    struct matrix *r, *y;
};

static uint32_t num_rows(const struct feed_forward_case *c) {
    return c->params->rows ? c->params->rows : ROWS;
}

static void build(struct harness *h, void *user) {
    struct feed_forward_case *c = user;
    struct dim rows = harness_dim(h, num_rows(c) + SPARE_ROWS, num_rows(c));
    const struct feed_forward_params params = {
        .x = harness_hidden(h, rows, c->in.x, c->gradient.x),
        .weight1 = harness_weight(h, c->in.weight1, c->gradient.weight1),
        .bias1 = harness_parameter(h, c->in.bias1, c->gradient.bias1),
        .weight2 = harness_weight(h, c->in.weight2, c->gradient.weight2),
        .bias2 = harness_parameter(h, c->in.bias2, c->gradient.bias2),
        .activation = c->params->activation,
        .dropout = c->params->dropout,
    };
    harness_result(h, op_feed_forward(h->graph, &params), c->y, c->r);
}

static struct oracle_feed_forward like(struct arena *arena, const struct oracle_feed_forward *in) {
    return (struct oracle_feed_forward){.x = matrix_like(arena, in->x),
                                        .weight1 = matrix_like(arena, in->weight1),
                                        .bias1 = matrix_like(arena, in->bias1),
                                        .weight2 = matrix_like(arena, in->weight2),
                                        .bias2 = matrix_like(arena, in->bias2)};
}

// To multiples of 1/8, whose products and short sums a float holds exactly: what ReLU sees has the
// same sign on both sides.
static void round_to_eighths(struct matrix *m) {
    for (size_t i = 0; i < (size_t)m->rows * m->cols; i++)
        m->v[i] = floor(8 * m->v[i]) / 8;
}

static void make(struct arena *arena, struct rng *rng, struct feed_forward_case *c) {
    uint32_t width = c->params->width, hidden = c->params->hidden, rows = num_rows(c);
    struct oracle_dropout dropout = DROPOUT;
    dropout.probability = c->params->dropout;
    c->in = (struct oracle_feed_forward){.x = matrix_random(arena, rng, rows, width, 1),
                                         .weight1 = matrix_random(arena, rng, hidden, width, 0.5),
                                         .bias1 = matrix_random(arena, rng, 1, hidden, 1),
                                         .weight2 = matrix_random(arena, rng, width, hidden, 0.5),
                                         .bias2 = matrix_random(arena, rng, 1, width, 1),
                                         .factors =
                                             oracle_dropout_factors(arena, &dropout, rows, hidden)};
    c->r = matrix_random(arena, rng, rows, width, 1);
    c->y = matrix_new(arena, rows, width);
    round_to_eighths(c->in.x);
    round_to_eighths(c->in.weight1);
    round_to_eighths(c->in.bias1);
    c->gradient = like(arena, &c->in);
}

enum vks_status feed_forward_case_check(struct check *check,
                                        const struct feed_forward_case_params *params) {
    static const enum oracle_activation kinds[] = {ORACLE_RELU, ORACLE_GELU, ORACLE_SILU};
    enum oracle_activation kind = kinds[params->activation];
    struct harness h = {.device = check->device,
                        .dropout_seed = DROPOUT.seed,
                        .dropout_rank = DROPOUT.rank,
                        .dropout_step = DROPOUT.step};
    struct arena *arena = check->arena;
    struct rng rng = {check->seed, 200 + params->activation, 0};
    struct feed_forward_case c = {.params = params};
    make(arena, &rng, &c);
    matrix_round(c.in.weight2, check->element); // the other inputs are eighths
    matrix_round(c.r, check->element);          // some kernels round it
    TRY(check_run(check, &h, build, &c));
    struct oracle_feed_forward reference = like(arena, &c.in);
    struct matrix *y = matrix_like(arena, c.y);
    oracle_feed_forward(arena, &c.in, kind, y);
    oracle_feed_forward_gradient(arena, &c.in, kind, c.r, &reference);
    check_compare_rounded(check, CHECK_FORWARD, "y", c.y, y);
    check_compare_rounded(check, CHECK_GRADIENT, "dx", c.gradient.x, reference.x);
    check_compare_rounded(check, CHECK_GRADIENT, "dweight1", c.gradient.weight1, reference.weight1);
    check_compare_rounded(check, CHECK_GRADIENT, "dbias1", c.gradient.bias1, reference.bias1);
    check_compare_rounded(check, CHECK_GRADIENT, "dweight2", c.gradient.weight2, reference.weight2);
    check_compare_rounded(check, CHECK_GRADIENT, "dbias2", c.gradient.bias2, reference.bias2);
    return VKS_OK;
}

enum vks_status feed_forward_selftest(struct check *check) {
    static const enum activation activations[] = {ACTIVATION_RELU, ACTIVATION_GELU,
                                                  ACTIVATION_SILU};
    // Of halves GELU with dropout alone, which has all of their paths: software drivers take long
    // to compile products.
    const bool is_float = check->element == ELEMENT_F32;
    for (int i = is_float ? 0 : 4; i < (is_float ? 6 : 5); i++)
        TRY(feed_forward_case_check(
            check, &(struct feed_forward_case_params){.activation = activations[i % 3],
                                                      .width = 12,
                                                      .hidden = 53,
                                                      .dropout = i < 3 ? 0.0f : 0.2f}));
    return VKS_OK;
}
