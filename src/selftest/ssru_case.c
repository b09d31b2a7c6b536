#include "selftest/ssru_case.h"

#include "base/check.h"
#include "base/log.h"
#include "beam_interface.h"
#include "ops/copy.h"
#include "ops/ssru.h"
#include "selftest/operators.h"
#include "selftest/ssru_oracle.h"

#include <string.h>

void ssru_case_make(struct arena *arena, struct rng *rng, struct ssru_case *c) {
    uint32_t rows = c->offsets[c->num_sequences];
    c->x = matrix_random(arena, rng, rows, c->width, 1);
    c->f = c->same_input ? c->x : matrix_random(arena, rng, rows, c->width, 2);
    c->r = matrix_random(arena, rng, rows, c->width, 1);
    c->y = matrix_like(arena, c->x);
    c->dx = matrix_like(arena, c->x);
    c->df = matrix_like(arena, c->x);
    c->ends = ARENA_NEW(arena, uint32_t, 2 * c->num_sequences + 1);
    CHECK(c->ends); // the arena has room
    for (uint32_t i = 0; i < c->num_sequences; i++) {
        c->ends[2 * i] = c->offsets[i];
        c->ends[2 * i + 1] = c->offsets[i + 1];
    }
}

void ssru_case_build(struct harness *h, void *user) {
    struct ssru_case *c = user;
    struct dim rows = harness_dim(h, c->capacity, c->offsets[c->num_sequences]);
    struct dim sequences = harness_dim(h, c->num_sequences + 3, c->num_sequences);
    struct tensor *x = harness_hidden(h, rows, c->x, c->dx);
    struct tensor *f = c->same_input ? x : harness_hidden(h, rows, c->f, c->df);
    struct tensor *y =
        op_ssru(h->graph, x, f, harness_uints(h, sequences, 2, c->ends, c->num_sequences));
    harness_result(h, y, c->y, c->r);
}

enum vks_status ssru_case_check(struct check *check, uint32_t stream, struct ssru_case *c) {
    struct arena *arena = check->arena;
    struct harness h = {.device = check->device};
    struct rng rng = {check->seed, stream, 0};
    ssru_case_make(arena, &rng, c);
    matrix_round(c->x, check->element);
    matrix_round(c->f, check->element);
    TRY(check_run(check, &h, ssru_case_build, c));
    const struct oracle_ssru oracle = {c->x, c->f, c->num_sequences, c->offsets};
    struct matrix *cells = matrix_like(arena, c->x), *y = matrix_like(arena, c->x);
    struct matrix *dx = matrix_like(arena, c->x);
    struct matrix *df = c->same_input ? dx : matrix_like(arena, c->x);
    oracle_ssru(&oracle, cells, y);
    oracle_ssru_gradient(&oracle, cells, c->r, dx, df);
    check_compare(check, CHECK_FORWARD, "y", c->y, y);
    check_compare(check, CHECK_GRADIENT, "dx", c->dx, dx);
    if (!c->same_input)
        check_compare(check, CHECK_GRADIENT, "df", c->df, df);
    return VKS_OK;
}

enum { STEP_ROWS = 5, STEP_TIME = 6, STEP_CACHE = 40 };

// Steps so far with this one; the cache row that each goes on from, and where it goes: a row that
// is idle goes nowhere.
static const uint32_t step_counts[STEP_ROWS] = {1, 4, 2, 0, 6};
static const uint32_t step_from[STEP_ROWS] = {0, 7, 39, 0, 12};
static const uint32_t step_places[STEP_ROWS] = {20, 3, 31, BEAM_NO_PLACE, 38};

struct step_case {
    struct matrix *x, *f, *cache, *y, *new_cache;
    uint32_t ranges[STEP_ROWS][4], cache_rows[STEP_ROWS][STEP_TIME];
};

static void make_tables(struct step_case *c) {
    for (uint32_t row = 0; row < STEP_ROWS; row++) {
        c->ranges[row][3] = step_counts[row];
        for (uint32_t t = 0; t < STEP_TIME; t++)
            c->cache_rows[row][t] = t + 2 == step_counts[row] ? step_from[row] : STEP_CACHE - 6;
    }
}

static void build_step(struct harness *h, void *user) {
    struct step_case *c = user;
    struct dim rows = harness_dim(h, 16, STEP_ROWS);
    struct tensor *cache = harness_leaf(h, graph_dim_fixed(h->graph, STEP_CACHE), c->cache, NULL);
    const struct ssru_step_params params = {
        .x = harness_hidden(h, rows, c->x, NULL),
        .f = harness_hidden(h, rows, c->f, NULL),
        .ranges = harness_uints(h, rows, 4, c->ranges[0], STEP_ROWS),
        .cache_rows = harness_uints(h, rows, STEP_TIME, c->cache_rows[0], STEP_ROWS),
        .places = harness_uints(h, rows, 1, step_places, STEP_ROWS),
        .cache = cache,
    };
    harness_result(h, op_ssru_step(h->graph, &params), c->y, NULL);
    harness_result(h, cache, c->new_cache, NULL);
}

// A row and what it goes on from are a sequence of two, of which the first row is taken as it is.
static void expect_step(struct arena *arena, const struct step_case *c, uint32_t row,
                        struct matrix *y, struct matrix *cache) {
    uint32_t width = c->x->cols;
    struct matrix *x = matrix_new(arena, 2, width), *f = matrix_new(arena, 2, width);
    struct matrix *cells = matrix_like(arena, x), *out = matrix_like(arena, x);
    for (uint32_t col = 0; col < width; col++) {
        AT(x, 0, col) = step_counts[row] > 1 ? AT(c->cache, step_from[row], col) : 0;
        AT(f, 0, col) = -1e3;
        AT(x, 1, col) = AT(c->x, row, col);
        AT(f, 1, col) = AT(c->f, row, col);
    }
    const uint32_t offsets[] = {0, 2};
    oracle_ssru(&(struct oracle_ssru){x, f, 1, offsets}, cells, out);
    memcpy(&AT(y, row, 0), &AT(out, 1, 0), width * sizeof(double));
    if (step_counts[row] > 0)
        memcpy(&AT(cache, step_places[row], 0), &AT(cells, 1, 0), width * sizeof(double));
}

enum vks_status ssru_step_case_check(struct check *check, uint32_t width) {
    struct arena *arena = check->arena;
    struct harness h = {.device = check->device};
    struct rng rng = {check->seed, width, 0};
    struct step_case c = {.x = matrix_random(arena, &rng, STEP_ROWS, width, 1),
                          .f = matrix_random(arena, &rng, STEP_ROWS, width, 2),
                          .cache = matrix_random(arena, &rng, STEP_CACHE, width, 1),
                          .y = matrix_new(arena, STEP_ROWS, width),
                          .new_cache = matrix_new(arena, STEP_CACHE, width)};
    make_tables(&c);
    matrix_round(c.x, check->element);
    matrix_round(c.f, check->element);
    TRY(check_run(check, &h, build_step, &c));
    struct matrix *y = matrix_like(arena, c.y), *cache = matrix_copy(arena, c.cache);
    for (uint32_t row = 0; row < STEP_ROWS; row++)
        expect_step(arena, &c, row, y, cache);
    check_compare(check, CHECK_FORWARD, "step", c.y, y);
    check_compare(check, CHECK_FORWARD, "cache", c.new_cache, cache);
    return VKS_OK;
}

enum vks_status ssru_selftest(struct check *check) {
    static const uint32_t offsets[] = {0, 5, 6, 40};
    struct ssru_case cases[] = {
        {.capacity = 64, .width = 36, .num_sequences = 3, .offsets = offsets},
        {.capacity = 40, .width = 8, .num_sequences = 3, .offsets = offsets, .same_input = true},
    };
    for (uint32_t i = 0; i < COUNT_OF(cases); i++)
        TRY(ssru_case_check(check, i, &cases[i]));
    return ssru_step_case_check(check, 36);
}
