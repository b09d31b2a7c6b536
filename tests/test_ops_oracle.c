// The oracle's gradients against central differences of its own outputs; needs no device.
#include "base/check.h"
#include "selftest/alignment_oracle.h"
#include "selftest/ssru_oracle.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

// Fixed: a difference across ReLU's kink is no slope.
enum { SEED = 1 };

static double inner(const struct matrix *a, const struct matrix *b) {
    double sum = 0;
    for (size_t i = 0; i < (size_t)a->rows * a->cols; i++)
        sum += a->v[i] * b->v[i];
    return sum;
}

typedef double loss_fn(void *user);

// The slope of the loss along a random direction of x must be gradient . direction.
static void check_slope(const char *name, loss_fn *loss, void *user, struct matrix *x,
                        const struct matrix *gradient) {
    static const double step = 1e-5;
    struct arena arena = {0};
    struct rng rng = {SEED, 77, 0};
    for (int i = 0; i < 3; i++) {
        struct matrix *direction = matrix_random(&arena, &rng, x->rows, x->cols, 1);
        struct matrix *before = matrix_copy(&arena, x);
        double sides[2];
        for (int side = 0; side < 2; side++) {
            for (size_t j = 0; j < (size_t)x->rows * x->cols; j++)
                x->v[j] = before->v[j] + (side ? -step : step) * direction->v[j];
            sides[side] = loss(user);
        }
        memcpy(x->v, before->v, (size_t)x->rows * x->cols * sizeof(double));
        double slope = (sides[0] - sides[1]) / (2 * step), expected = inner(gradient, direction);
        if (fabs(slope - expected) > 1e-6 * (1 + fabs(expected)))
            fail_msg("%s: slope %.12g, gradient %.12g", name, slope, expected);
    }
    arena_finish(&arena);
}

struct feed_forward_case {
    struct oracle_feed_forward in;
    enum oracle_activation kind;
    struct matrix *y, *r;
};

static double feed_forward_loss(void *user) {
    struct feed_forward_case *c = user;
    struct arena arena = {0};
    oracle_feed_forward(&arena, &c->in, c->kind, c->y);
    arena_finish(&arena);
    return inner(c->y, c->r);
}

static void feed_forward_gradient_is_the_slope(void **state) {
    (void)state;
    for (enum oracle_activation kind = ORACLE_RELU; kind <= ORACLE_SILU; kind++) {
        struct arena arena = {0};
        struct rng rng = {SEED, kind, 0};
        const struct oracle_dropout dropout = {0.3f, 1, 2, 3, 4};
        struct feed_forward_case c = {
            {matrix_random(&arena, &rng, 5, 4, 1), matrix_random(&arena, &rng, 7, 4, 1),
             matrix_random(&arena, &rng, 1, 7, 1), matrix_random(&arena, &rng, 4, 7, 1),
             matrix_random(&arena, &rng, 1, 4, 1), oracle_dropout_factors(&arena, &dropout, 5, 7)},
            kind,
            matrix_new(&arena, 5, 4),
            matrix_random(&arena, &rng, 5, 4, 1)};
        struct oracle_feed_forward g = {
            matrix_like(&arena, c.in.x),     matrix_like(&arena, c.in.weight1),
            matrix_like(&arena, c.in.bias1), matrix_like(&arena, c.in.weight2),
            matrix_like(&arena, c.in.bias2), NULL};
        oracle_feed_forward_gradient(&arena, &c.in, kind, c.r, &g);
        check_slope("x", feed_forward_loss, &c, c.in.x, g.x);
        check_slope("weight1", feed_forward_loss, &c, c.in.weight1, g.weight1);
        check_slope("bias1", feed_forward_loss, &c, c.in.bias1, g.bias1);
        check_slope("weight2", feed_forward_loss, &c, c.in.weight2, g.weight2);
        check_slope("bias2", feed_forward_loss, &c, c.in.bias2, g.bias2);
        arena_finish(&arena);
    }
}

struct attention_case {
    struct oracle_attention attention;
    struct matrix *out, *r;
};

static double attention_loss(void *user) {
    struct attention_case *c = user;
    struct arena arena = {0};
    oracle_attention(&arena, &c->attention, c->out);
    arena_finish(&arena);
    return inner(c->out, c->r);
}

static void self_attention_gradient_is_the_slope(void **state) {
    static const uint32_t offsets[] = {0, 1, 6, 9};
    static const struct oracle_dropout dropout = {0.3f, 1, 2, 3, 4};
    (void)state;
    for (int variant = 0; variant < 4; variant++) {
        struct arena arena = {0};
        struct rng rng = {SEED, 10 + (uint32_t)variant, 0};
        struct matrix *qkv = matrix_random(&arena, &rng, 9, 24, 1);
        struct attention_case c = {{qkv, qkv, 0, 8, 16, 8, 2, 3, offsets, offsets, variant % 2 == 1,
                                    variant < 2 ? NULL : &dropout},
                                   matrix_new(&arena, 9, 8),
                                   matrix_random(&arena, &rng, 9, 8, 1)};
        struct matrix *dqkv = matrix_like(&arena, qkv);
        oracle_attention_gradient(&arena, &c.attention, c.r, dqkv, dqkv);
        check_slope("qkv", attention_loss, &c, qkv, dqkv);
        arena_finish(&arena);
    }
}

static void cross_attention_gradient_is_the_slope(void **state) {
    static const uint32_t query_offsets[] = {0, 2, 5, 6}, key_offsets[] = {0, 4, 4, 9};
    struct arena arena = {0};
    struct rng rng = {SEED, 20, 0};
    struct matrix *q = matrix_random(&arena, &rng, 6, 8, 1);
    struct matrix *kv = matrix_random(&arena, &rng, 9, 16, 1);
    struct attention_case c = {{q, kv, 0, 0, 8, 8, 1, 3, query_offsets, key_offsets, false, NULL},
                               matrix_new(&arena, 6, 8),
                               matrix_random(&arena, &rng, 6, 8, 1)};
    struct matrix *dq = matrix_like(&arena, q), *dkv = matrix_like(&arena, kv);
    (void)state;
    oracle_attention_gradient(&arena, &c.attention, c.r, dq, dkv);
    check_slope("q", attention_loss, &c, q, dq);
    check_slope("kv", attention_loss, &c, kv, dkv);
    arena_finish(&arena);
}

struct alignment_case {
    struct oracle_attention attention;
    struct oracle_alignment alignment;
    struct matrix *weights, *losses;
};

static double alignment_loss(void *user) {
    struct alignment_case *c = user;
    double sum = 0;
    oracle_attention_weights(&c->attention, 1, c->weights);
    oracle_alignment(&c->alignment, c->losses);
    for (uint32_t row = 0; row < c->losses->rows; row++)
        sum += AT(c->losses, row, 0);
    return c->alignment.weight * sum;
}

static void alignment_gradient_is_the_slope(void **state) {
    static const uint32_t query_offsets[] = {0, 2, 5, 6}, key_offsets[] = {0, 4, 4, 9};
    (void)state;
    for (uint32_t cost = ORACLE_ALIGNMENT_CE; cost <= ORACLE_ALIGNMENT_MULT; cost++) {
        struct arena arena = {0};
        struct rng rng = {SEED, 70 + cost, 0};
        struct matrix *q = matrix_random(&arena, &rng, 6, 8, 1);
        struct matrix *kv = matrix_random(&arena, &rng, 9, 16, 1);
        struct matrix *links = matrix_new(&arena, 6, 5), *weights = matrix_like(&arena, links);
        AT(links, 0, 1) = AT(links, 1, 0) = AT(links, 1, 3) = AT(links, 5, 4) = 1;
        struct alignment_case c = {
            {q, kv, 0, 0, 8, 8, 2, 3, query_offsets, key_offsets, false, NULL},
            {weights, links, cost, 0.7},
            weights,
            matrix_new(&arena, 6, 1)};
        struct matrix *dweights = matrix_like(&arena, links);
        const struct oracle_weights_gradient g = {weights, dweights, matrix_like(&arena, q),
                                                  matrix_like(&arena, kv)};
        alignment_loss(&c);
        oracle_alignment_gradient(&c.alignment, dweights);
        oracle_attention_weights_gradient(&c.attention, 1, &g);
        check_slope("q", alignment_loss, &c, q, g.q);
        check_slope("kv", alignment_loss, &c, kv, g.kv);
        arena_finish(&arena);
    }
}

struct norm_case {
    struct oracle_norm norm;
    struct matrix *s, *y, *r_stream, *r;
};

static double norm_loss(void *user) {
    struct norm_case *c = user;
    oracle_norm(&c->norm, c->s, c->y);
    return inner(c->y, c->r) + inner(c->s, c->r_stream);
}

static void norm_gradient_is_the_slope(void **state) {
    struct arena arena = {0};
    struct rng rng = {SEED, 30, 0};
    struct matrix *x = matrix_random(&arena, &rng, 5, 12, 1);
    struct matrix *f = matrix_random(&arena, &rng, 5, 12, 1);
    struct matrix *gamma = matrix_random(&arena, &rng, 1, 12, 1);
    struct matrix *beta = matrix_random(&arena, &rng, 1, 12, 1);
    const struct oracle_dropout dropout = {0.3f, 1, 2, 3, 4};
    struct norm_case c = {
        {x, f, oracle_dropout_factors(&arena, &dropout, 5, 12), gamma, beta, 1e-5},
        matrix_like(&arena, x),
        matrix_like(&arena, x),
        matrix_random(&arena, &rng, 5, 12, 1),
        matrix_random(&arena, &rng, 5, 12, 1)};
    const struct oracle_norm_gradient g = {matrix_like(&arena, x), matrix_like(&arena, f),
                                           matrix_like(&arena, gamma), matrix_like(&arena, beta)};
    (void)state;
    oracle_norm_gradient(&arena, &c.norm, c.r, c.r_stream, &g);
    check_slope("x", norm_loss, &c, x, g.x);
    check_slope("f", norm_loss, &c, f, g.f);
    check_slope("gamma", norm_loss, &c, gamma, g.gamma);
    check_slope("beta", norm_loss, &c, beta, g.beta);
    arena_finish(&arena);
}

struct embedding_case {
    struct oracle_embedding embedding;
    struct matrix *x, *r;
};

static double embedding_loss(void *user) {
    struct embedding_case *c = user;
    oracle_embedding(&c->embedding, c->x);
    return inner(c->x, c->r);
}

static void embedding_gradient_is_the_slope(void **state) {
    static const uint32_t tokens[] = {3, 0, 3, 1}, positions[] = {0, 1, 2, 0};
    struct arena arena = {0};
    struct rng rng = {SEED, 40, 0};
    struct matrix *table = matrix_random(&arena, &rng, 5, 8, 1);
    struct matrix *places = matrix_random(&arena, &rng, 3, 8, 1);
    const struct oracle_dropout dropout = {0.5f, 1, 2, 3, 4};
    struct embedding_case c = {
        {tokens, positions, table, places, NULL, 1.7, oracle_row_factors(&arena, &dropout, 4)},
        matrix_new(&arena, 4, 8),
        matrix_random(&arena, &rng, 4, 8, 1)};
    struct matrix *dtable = matrix_like(&arena, table), *dplaces = matrix_like(&arena, places);
    (void)state;
    oracle_embedding_gradient(&c.embedding, c.r, dtable, dplaces);
    check_slope("table", embedding_loss, &c, table, dtable);
    check_slope("positions", embedding_loss, &c, places, dplaces);
    arena_finish(&arena);
}

struct loss_case {
    struct oracle_cross_entropy loss;
    struct matrix *losses;
};

static double cross_entropy_loss(void *user) {
    struct loss_case *c = user;
    double sum = 0;
    oracle_cross_entropy(&c->loss, c->losses);
    for (uint32_t row = 0; row < c->losses->rows; row++)
        sum += AT(c->losses, row, 0);
    return sum;
}

static void cross_entropy_gradient_is_the_slope(void **state) {
    static const uint32_t labels[] = {0, 5, 2, 2}, pads[] = {1, UINT32_MAX};
    static const float weights[] = {0.5f, 3, 0, 1};
    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(pads); i++) {
        struct arena arena = {0};
        struct rng rng = {SEED, 50 + i, 0};
        struct matrix *logits = matrix_random(&arena, &rng, 4, 6, 2);
        struct loss_case c = {{logits, labels, pads[i], 0.1, i ? weights : NULL},
                              matrix_new(&arena, 4, 1)};
        struct matrix *dlogits = matrix_like(&arena, logits);
        oracle_cross_entropy_gradient(&c.loss, dlogits);
        check_slope("logits", cross_entropy_loss, &c, logits, dlogits);
        arena_finish(&arena);
    }
}

// With one label and no smoothing the loss is -log softmax, worked out here by hand.
static void cross_entropy_of_two_symbols_is_known(void **state) {
    struct arena arena = {0};
    struct matrix *logits = matrix_new(&arena, 1, 2), *losses = matrix_new(&arena, 1, 1);
    const uint32_t label = 1;
    (void)state;
    logits->v[0] = log(3);
    oracle_cross_entropy(&(struct oracle_cross_entropy){logits, &label, UINT32_MAX, 0, NULL},
                         losses);
    assert_true(fabs(losses->v[0] - log(4)) < 1e-15);
    arena_finish(&arena);
}

// The first step of Adam moves every value by the rate, against the gradient's sign.
static void first_step_of_adam_has_the_size_of_the_rate(void **state) {
    struct arena arena = {0};
    struct rng rng = {SEED, 60, 0};
    const struct oracle_update update = {
        .kind = ORACLE_ADAM, .rate = 0.1, .beta1 = 0.9, .beta2 = 0.999, .t = 1};
    struct matrix *gradient = matrix_random(&arena, &rng, 3, 4, 1);
    struct matrix *value = matrix_like(&arena, gradient), *m = matrix_like(&arena, gradient);
    (void)state;
    oracle_update(&update, gradient, value, m, matrix_like(&arena, gradient));
    for (size_t i = 0; i < 12; i++)
        assert_true(fabs(value->v[i] - (gradient->v[i] > 0 ? -0.1 : 0.1)) < 1e-9);
    arena_finish(&arena);
}

// Shares of 9/10, 9/11, and then the 0.8 that is asked for.
static void averages_begin_with_larger_shares(void **state) {
    struct arena arena = {0};
    struct oracle_update update = {.smoothing = 0.8};
    struct matrix *value = matrix_new(&arena, 1, 1), *average = matrix_new(&arena, 1, 1);
    (void)state;
    value->v[0] = 1;
    const double rests[] = {0.1, 0.1 * 2 / 11, 0.1 * 2 / 11 * 0.2};
    for (update.t = 1; update.t <= 3; update.t++) {
        oracle_average(&update, value, average);
        assert_true(fabs(1 - average->v[0] - rests[update.t - 1]) < 1e-15);
    }
    arena_finish(&arena);
}

static void dropout_keeps_as_many_as_it_should(void **state) {
    struct arena arena = {0};
    const struct oracle_dropout dropout = {0.25f, 5, 0, 17, 2};
    struct matrix *factors = oracle_dropout_factors(&arena, &dropout, 200, 100);
    double sum = 0;
    (void)state;
    for (size_t i = 0; i < 20000; i++)
        sum += factors->v[i];
    assert_true(fabs(sum / 20000 - 1) < 0.02); // five standard deviations
    arena_finish(&arena);
}

// A training goes on with another version of vkseq to the same bits only while these stay.
static void dropout_draws_are_what_they_were(void **state) {
    static const uint32_t kept[4] = {0xb780f8d8, 0xa569a199, 0x6938f784,
                                     0x0adb6bec}; // by row; bit c is column c
    const struct oracle_dropout dropout = {0.5f, 1, 2, 3, 4};
    (void)state;
    for (uint32_t row = 0; row < COUNT_OF(kept); row++) {
        uint32_t bits = 0;
        for (uint32_t col = 0; col < 32; col++)
            bits |= (oracle_dropout_factor(&dropout, row, col) > 0 ? 1u : 0u) << col;
        if (bits != kept[row])
            fail_msg("row %u keeps %08x, and kept %08x", row, bits, kept[row]);
    }
}

static void error_is_relative_and_infinite_without_numbers(void **state) {
    double right[] = {3, 4, 0}, off[] = {3, 4, 0.006}, none[] = {3, NAN, 0};
    const struct matrix reference = {1, 3, right}, wrong = {3, 1, right};
    (void)state;
    assert_true(oracle_error(&reference, &reference, 1) == 0);
    assert_true(fabs(oracle_error(&(struct matrix){1, 3, off}, &reference, 1) - 0.001) < 1e-12);
    assert_true(isinf(oracle_error(&(struct matrix){1, 3, none}, &reference, 1)));
    assert_true(isinf(oracle_error(&reference, &(struct matrix){1, 3, none}, 1)));
    assert_true(isinf(oracle_error(&wrong, &reference, 1)));
}

struct ssru_case {
    struct oracle_ssru in;
    struct matrix *c, *y, *r;
};

static double ssru_loss(void *user) {
    struct ssru_case *c = user;
    oracle_ssru(&c->in, c->c, c->y);
    return inner(c->y, c->r);
}

static void ssru_gradient_is_the_slope(void **state) {
    static const uint32_t offsets[] = {0, 1, 5, 5, 12};
    struct arena arena = {0};
    struct rng rng = {SEED, 91, 0};
    struct matrix *x = matrix_random(&arena, &rng, 12, 5, 1);
    struct matrix *f = matrix_random(&arena, &rng, 12, 5, 1);
    struct ssru_case c = {{x, f, COUNT_OF(offsets) - 1, offsets},
                          matrix_like(&arena, x),
                          matrix_like(&arena, x),
                          matrix_random(&arena, &rng, 12, 5, 1)};
    struct matrix *dx = matrix_like(&arena, x), *df = matrix_like(&arena, x);
    (void)state;
    ssru_loss(&c);
    oracle_ssru_gradient(&c.in, c.c, c.r, dx, df);
    check_slope("x", ssru_loss, &c, x, dx);
    check_slope("f", ssru_loss, &c, f, df);
    arena_finish(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(feed_forward_gradient_is_the_slope),
        cmocka_unit_test(self_attention_gradient_is_the_slope),
        cmocka_unit_test(cross_attention_gradient_is_the_slope),
        cmocka_unit_test(alignment_gradient_is_the_slope),
        cmocka_unit_test(norm_gradient_is_the_slope),
        cmocka_unit_test(ssru_gradient_is_the_slope),
        cmocka_unit_test(embedding_gradient_is_the_slope),
        cmocka_unit_test(cross_entropy_gradient_is_the_slope),
        cmocka_unit_test(cross_entropy_of_two_symbols_is_known),
        cmocka_unit_test(first_step_of_adam_has_the_size_of_the_rate),
        cmocka_unit_test(averages_begin_with_larger_shares),
        cmocka_unit_test(dropout_keeps_as_many_as_it_should),
        cmocka_unit_test(dropout_draws_are_what_they_were),
        cmocka_unit_test(error_is_relative_and_infinite_without_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
