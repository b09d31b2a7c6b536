// Token and position embedding against the oracle.
#include "base/check.h"
#include "ops/embedding.h"
#include "support/gpu.h"
#include "support/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct segments {
    uint32_t *rows, *pieces, *segments;
    uint32_t num_rows, num_pieces, num_segments;
};

struct embedding_case {
    uint32_t capacity, rows, width, vocab, positions;
    float scale, dropout;
    bool learned;           // positions
    bool twice;             // the table is embedded twice
    uint64_t binding_bytes; // run also with windows of this size, if any
    uint32_t *tokens, *places;
    struct segments by_token, by_position;
    struct matrix *table, *position_table, *r, *x, *dtable, *dposition_table;
};

// Groups rows by id, as a batch does.
static struct segments group(struct arena *arena, const uint32_t *ids, uint32_t num,
                             uint32_t num_ids) {
    struct segments s = {.rows = ARENA_NEW(arena, uint32_t, num + 1),
                         .pieces = ARENA_NEW(arena, uint32_t, 2 * num + 2),
                         .segments = ARENA_NEW(arena, uint32_t, 4 * num + 4)};
    for (uint32_t id = 0; id < num_ids; id++) {
        uint32_t first = s.num_rows, first_piece = s.num_pieces;
        for (uint32_t row = 0; row < num; row++)
            if (ids[row] == id)
                s.rows[s.num_rows++] = row;
        for (uint32_t at = first; at < s.num_rows; at += EMBEDDING_PIECE_ROWS) {
            s.pieces[2 * s.num_pieces] = at;
            s.pieces[2 * s.num_pieces + 1] = min_u32(EMBEDDING_PIECE_ROWS, s.num_rows - at);
            s.num_pieces++;
        }
        if (s.num_rows == first)
            continue;
        memcpy(s.segments + 4 * s.num_segments++,
               (uint32_t[]){id, first_piece, s.num_pieces - first_piece, 0}, 16);
    }
    return s;
}

static void make_case(struct arena *arena, struct rng *rng, struct embedding_case *c) {
    c->table = matrix_random(arena, rng, c->vocab, c->width, 1);
    c->position_table = matrix_random(arena, rng, c->positions, c->width, 1);
    c->r = matrix_random(arena, rng, c->rows, c->width, 1);
    c->x = matrix_like(arena, c->r);
    c->dtable = matrix_like(arena, c->table);
    c->dposition_table = c->learned ? matrix_like(arena, c->position_table) : NULL;
    c->tokens = ARENA_NEW(arena, uint32_t, c->rows + 1);
    c->places = ARENA_NEW(arena, uint32_t, c->rows + 1);
    for (uint32_t row = 0; row < c->rows; row++) {
        // One token is on every other row: it takes several pieces.
        c->tokens[row] = row % 2 ? c->vocab - 1 : rng_below(rng, c->vocab);
        c->places[row] = row % c->positions;
    }
    c->by_token = group(arena, c->tokens, c->rows, c->vocab);
    c->by_position = group(arena, c->places, c->rows, c->positions);
}

static struct embedding_segments add_segments(struct harness *h, struct dim rows,
                                              const struct segments *s) {
    struct dim pieces = harness_dim(h, s->num_pieces + 7, s->num_pieces);
    struct dim segments = harness_dim(h, s->num_segments + 7, s->num_segments);
    return (struct embedding_segments){
        .sorted_rows = harness_uints(h, rows, 1, s->rows, s->num_rows),
        .pieces = harness_uints(h, pieces, 2, s->pieces, s->num_pieces),
        .segments = harness_uints(h, segments, 4, s->segments, s->num_segments)};
}

static void build(struct harness *h, void *user) {
    struct embedding_case *c = user;
    struct dim rows = harness_dim(h, c->capacity, c->rows);
    struct embedding_params params = {
        .tokens = harness_uints(h, rows, 1, c->tokens, c->rows),
        .positions = harness_uints(h, rows, 1, c->places, c->rows),
        .table = harness_parameter(h, c->table, c->dtable),
        .position_table = harness_parameter(h, c->position_table, c->dposition_table),
        .scale = c->scale,
        .dropout = c->dropout,
        .by_token = add_segments(h, rows, &c->by_token),
    };
    if (c->learned)
        params.by_position = add_segments(h, rows, &c->by_position);
    harness_result(h, op_embedding(h->graph, &params), c->x, c->r);
    if (c->twice)
        harness_result(h, op_embedding(h->graph, &params), NULL, c->r);
}

// The same with tables that are seen in windows has the same bits.
static void check_windows(struct harness *h, struct arena *arena, const struct embedding_case *c) {
    struct embedding_case windows = *c;
    windows.x = matrix_like(arena, c->x);
    windows.dtable = matrix_like(arena, c->dtable);
    windows.dposition_table = matrix_like(arena, c->position_table);
    h->binding_bytes = c->binding_bytes;
    harness_run(h, build, &windows);
    assert_same_bits("x", windows.x, c->x);
    assert_same_bits("dtable", windows.dtable, c->dtable);
    assert_same_bits("dpositions", windows.dposition_table, c->dposition_table);
}

static void check(struct vks_device *device, struct embedding_case *c, uint32_t stream) {
    struct harness h = {.device = device, .dropout_seed = 7, .dropout_rank = 1, .dropout_step = 99};
    struct arena arena = {0};
    struct rng rng = {harness_seed(), stream, 0};
    make_case(&arena, &rng, c);
    harness_run(&h, build, c);
    if (c->binding_bytes)
        check_windows(&h, &arena, c);
    struct oracle_dropout dropout = {c->dropout, 7, 1, 99, 0};
    struct oracle_embedding oracle = {c->tokens,
                                      c->places,
                                      c->table,
                                      c->position_table,
                                      oracle_dropout_factors(&arena, &dropout, c->rows, c->width),
                                      (double)c->scale};
    struct matrix *x = matrix_like(&arena, c->x), *dtable = matrix_like(&arena, c->table);
    struct matrix *dposition_table = matrix_like(&arena, c->position_table);
    oracle_embedding(&oracle, x);
    oracle_embedding_gradient(&oracle, c->r, dtable, dposition_table);
    if (c->twice) {
        dropout.stream = 1;
        oracle.factors = oracle_dropout_factors(&arena, &dropout, c->rows, c->width);
        oracle_embedding_gradient(&oracle, c->r, dtable, dposition_table);
    }
    assert_forward("x", c->x, x);
    assert_gradient("dtable", c->dtable, dtable);
    if (c->learned)
        assert_gradient("dpositions", c->dposition_table, dposition_table);
    arena_finish(&arena);
}

static void embedding_matches_the_oracle(void **state) {
    struct embedding_case cases[] = {
        {.capacity = 1, .rows = 1, .width = 4, .vocab = 1, .positions = 1, .scale = 1.0f},
        {.capacity = 400, .rows = 333, .width = 36, .vocab = 17, .positions = 41, .scale = 6.0f},
        {.capacity = 64, .rows = 0, .width = 12, .vocab = 9, .positions = 5, .scale = 1.0f},
        {.capacity = 4000, .rows = 50, .width = 516, .vocab = 999, .positions = 8, .scale = 2.5f},
    };
    for (uint32_t i = 0; i < COUNT_OF(cases); i++)
        check(*state, &cases[i], i);
}

static void learned_positions_match_the_oracle(void **state) {
    struct embedding_case c = {.capacity = 300,
                               .rows = 211,
                               .width = 20,
                               .vocab = 31,
                               .positions = 3,
                               .scale = 2.0f,
                               .learned = true};
    check(*state, &c, 10);
}

static void dropout_follows_the_counter_forward_and_backward(void **state) {
    struct embedding_case c = {.capacity = 300,
                               .rows = 101,
                               .width = 20,
                               .vocab = 31,
                               .positions = 50,
                               .scale = 2.0f,
                               .dropout = 0.3f,
                               .learned = true};
    check(*state, &c, 20);
}

static void gradients_of_two_uses_add_up(void **state) {
    struct embedding_case c = {.capacity = 300,
                               .rows = 101,
                               .width = 20,
                               .vocab = 31,
                               .positions = 50,
                               .scale = 2.0f,
                               .dropout = 0.5f,
                               .learned = true,
                               .twice = true};
    check(*state, &c, 30);
}

static void tables_beyond_the_binding_range_are_seen_in_windows(void **state) {
    // Five windows on the table, two on the positions.
    struct embedding_case c = {.capacity = 110,
                               .rows = 101,
                               .width = 36,
                               .vocab = 500,
                               .positions = 130,
                               .scale = 2.0f,
                               .dropout = 0.3f,
                               .learned = true,
                               .twice = true,
                               .binding_bytes = 16 << 10};
    check(*state, &c, 40);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(embedding_matches_the_oracle),
        cmocka_unit_test(learned_positions_match_the_oracle),
        cmocka_unit_test(dropout_follows_the_counter_forward_and_backward),
        cmocka_unit_test(gradients_of_two_uses_add_up),
        cmocka_unit_test(tables_beyond_the_binding_range_are_seen_in_windows),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
