#include "selftest/attention_step_case.h"

#include "base/check.h"
#include "base/log.h"
#include "ops/attention.h"
#include "selftest/operators.h"

#include <string.h>

struct step_case {
    uint32_t head_width, num_heads, q_col;
    struct matrix *q, *kv, *out;
    const uint32_t *ranges, *cache_rows; // cache_rows: NULL, or STEP_TIME a row
};

enum { STEP_ROWS = 5, STEP_TIME = 75, STEP_CACHE = 200 };

static void build(struct harness *h, void *user) {
    struct step_case *c = user;
    struct dim rows = harness_dim(h, 16, STEP_ROWS), keys = harness_dim(h, 300, STEP_CACHE);
    struct tensor *q = harness_hidden(h, rows, c->q, NULL);
    const struct attention_step_params params = {
        .q = q,
        .kv = harness_hidden(h, keys, c->kv, NULL),
        .q_col = c->q_col,
        .width = c->head_width * c->num_heads,
        .num_heads = c->num_heads,
        .ranges = harness_uints(h, rows, 4, c->ranges, STEP_ROWS),
        .cache_rows =
            c->cache_rows ? harness_uints(h, rows, STEP_TIME, c->cache_rows, STEP_ROWS) : NULL,
    };
    harness_result(h, op_attention_step(h->graph, &params), c->out, NULL);
}

// The rows a step's query sees, as a matrix of their own.
static struct matrix *gather(struct arena *arena, const struct step_case *c, uint32_t row) {
    uint32_t first = c->ranges[4 * row + 2], end = c->ranges[4 * row + 3];
    struct matrix *kv = matrix_new(arena, end - first, c->kv->cols);
    for (uint32_t i = first; i < end; i++) {
        uint32_t from = c->cache_rows ? c->cache_rows[row * STEP_TIME + i] : i;
        memcpy(&AT(kv, i - first, 0), &AT(c->kv, from, 0), kv->cols * sizeof(double));
    }
    return kv;
}

static void compare(struct check *check, const struct step_case *c) {
    struct matrix *reference = matrix_like(check->arena, c->out);
    uint32_t width = c->head_width * c->num_heads;
    for (uint32_t row = 0; row < STEP_ROWS; row++) {
        struct matrix *kv = gather(check->arena, c, row);
        struct matrix q = {1, c->q->cols, &AT(c->q, row, 0)};
        struct matrix out = {1, width, &AT(reference, row, 0)};
        const uint32_t one[] = {0, 1}, keys[] = {0, kv->rows};
        const struct oracle_attention oracle = {.q = &q,
                                                .kv = kv,
                                                .q_col = c->q_col,
                                                .v_col = width,
                                                .width = width,
                                                .num_heads = c->num_heads,
                                                .num_sequences = 1,
                                                .query_offsets = one,
                                                .key_offsets = keys};
        oracle_attention(check->arena, &oracle, &out);
    }
    check_compare_rounded(check, CHECK_FORWARD, "out", c->out, reference);
}

enum vks_status attention_step_case_check(struct check *check, uint32_t head_width,
                                          bool has_cache_rows) {
    static const uint32_t ranges[STEP_ROWS * 4] = {0, 0, 0, 1, 0, 0,  3, 75, 0, 0,
                                                   9, 9, 0, 0, 7, 44, 0, 0,  0, 32};
    struct harness h = {.device = check->device};
    struct rng rng = {check->seed, 40 + has_cache_rows, 0};
    uint32_t cache_rows[STEP_ROWS * STEP_TIME], width = head_width * 3;
    for (size_t i = 0; i < COUNT_OF(cache_rows); i++)
        cache_rows[i] = rng_below(&rng, STEP_CACHE);
    struct step_case c = {.head_width = head_width,
                          .num_heads = 3,
                          .q_col = 8,
                          .q = matrix_random(check->arena, &rng, STEP_ROWS, width + 12, 1),
                          .kv = matrix_random(check->arena, &rng, STEP_CACHE, 2 * width, 1),
                          .out = matrix_new(check->arena, STEP_ROWS, width),
                          .ranges = ranges,
                          .cache_rows = has_cache_rows ? cache_rows : NULL};
    matrix_round(c.q, check->element);
    matrix_round(c.kv, check->element);
    TRY(check_run(check, &h, build, &c));
    compare(check, &c);
    return VKS_OK;
}

enum vks_status attention_step_selftest(struct check *check) {
    TRY(attention_step_case_check(check, 8, false));
    return attention_step_case_check(check, 8, true);
}
