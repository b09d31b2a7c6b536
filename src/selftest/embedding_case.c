#include "selftest/embedding_case.h"

#include "base/check.h"
#include "base/log.h"
#include "ops/embedding.h"
#include "selftest/operators.h"

#include <string.h>

static uint32_t *words(struct arena *arena, uint32_t num) {
    uint32_t *result = ARENA_NEW(arena, uint32_t, num + 1);
    CHECK(result); // the arena has room
    return result;
}

// Groups rows by id, as a batch does.
static struct row_groups group(struct arena *arena, const uint32_t *ids, uint32_t num,
                               uint32_t num_ids) {
    struct row_groups s = {.rows = words(arena, num),
                           .pieces = words(arena, 2 * num),
                           .segments = words(arena, 4 * num)};
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

static void make(struct arena *arena, struct rng *rng, struct embedding_case *c) {
    c->table = matrix_random(arena, rng, c->vocab, c->width, 1);
    c->position_table = matrix_random(arena, rng, c->positions, c->width, 1);
    c->r = matrix_random(arena, rng, c->rows, c->width, 1);
    c->x = matrix_like(arena, c->r);
    c->dtable = matrix_like(arena, c->table);
    c->dposition_table = c->learned ? matrix_like(arena, c->position_table) : NULL;
    c->tokens = words(arena, c->rows);
    c->places = words(arena, c->rows);
    for (uint32_t row = 0; row < c->rows; row++) {
        // One token is on every other row: it takes several pieces.
        c->tokens[row] = row % 2 ? c->vocab - 1 : rng_below(rng, c->vocab);
        c->places[row] = row % c->positions;
    }
    c->by_token = group(arena, c->tokens, c->rows, c->vocab);
    c->by_position = group(arena, c->places, c->rows, c->positions);
}

static struct embedding_segments add_segments(struct harness *h, struct dim rows,
                                              const struct row_groups *s) {
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
        .word_dropout = c->word_dropout,
        .by_token = add_segments(h, rows, &c->by_token),
    };
    if (c->learned)
        params.by_position = add_segments(h, rows, &c->by_position);
    harness_result(h, op_embedding(h->graph, &params), c->x, c->r);
    if (c->twice)
        harness_result(h, op_embedding(h->graph, &params), NULL, c->r);
}

static void compare(struct check *check, const struct embedding_case *c,
                    struct oracle_dropout *dropout) {
    struct arena *arena = check->arena;
    struct oracle_dropout words = *dropout;
    words.probability = c->word_dropout;
    struct oracle_embedding oracle = {c->tokens,
                                      c->places,
                                      c->table,
                                      c->position_table,
                                      oracle_dropout_factors(arena, dropout, c->rows, c->width),
                                      (double)c->scale,
                                      oracle_row_factors(arena, &words, c->rows)};
    struct matrix *x = matrix_like(arena, c->x), *dtable = matrix_like(arena, c->table);
    struct matrix *dposition_table = matrix_like(arena, c->position_table);
    oracle_embedding(&oracle, x);
    oracle_embedding_gradient(&oracle, c->r, dtable, dposition_table);
    if (c->twice) {
        dropout->stream = words.stream = 1;
        oracle.word_factors = oracle_row_factors(arena, &words, c->rows);
        oracle.factors = oracle_dropout_factors(arena, dropout, c->rows, c->width);
        oracle_embedding_gradient(&oracle, c->r, dtable, dposition_table);
    }
    check_compare_rounded(check, CHECK_FORWARD, "x", c->x, x);
    check_compare(check, CHECK_GRADIENT, "dtable", c->dtable, dtable);
    if (c->learned)
        check_compare(check, CHECK_GRADIENT, "dpositions", c->dposition_table, dposition_table);
}

enum vks_status embedding_case_check(struct check *check, uint32_t stream,
                                     struct embedding_case *c) {
    struct oracle_dropout dropout = {c->dropout, 7, 1, 99, 0};
    struct harness h = {.device = check->device,
                        .dropout_seed = dropout.seed,
                        .dropout_rank = dropout.rank,
                        .dropout_step = dropout.step};
    struct rng rng = {check->seed, stream, 0};
    make(check->arena, &rng, c);
    TRY(check_run(check, &h, build, c));
    compare(check, c, &dropout);
    return VKS_OK;
}

enum vks_status embedding_selftest(struct check *check) {
    // Sines, and learned positions with dropout.
    struct embedding_case cases[] = {
        {.capacity = 400, .rows = 333, .width = 36, .vocab = 17, .positions = 41, .scale = 6.0f},
        {.capacity = 300,
         .rows = 101,
         .width = 20,
         .vocab = 31,
         .positions = 50,
         .scale = 2.0f,
         .dropout = 0.3f,
         .word_dropout = 0.2f,
         .learned = true},
    };
    for (uint32_t i = 0; i < COUNT_OF(cases); i++)
        TRY(embedding_case_check(check, i, &cases[i]));
    return VKS_OK;
}
