#include "selftest/attention_case.h"

#include "base/check.h"
#include "base/log.h"
#include "selftest/operators.h"

#include <string.h>

enum { SPARE_ROWS = 100 };

// The device's dropout is that of the graph's first stream within blocks.
static const struct oracle_dropout DROPOUT = {
    .seed = 54321, .rank = 2, .step = 7, .stream = 1u << 31};

// Blocks of ATTENTION_ROWS rows, from each sequence's start on.
static uint32_t list_blocks(const struct attention_case *c, bool of_keys, uint32_t *blocks) {
    const uint32_t *own = of_keys ? c->key_offsets : c->query_offsets;
    const uint32_t *other = of_keys ? c->query_offsets : c->key_offsets;
    uint32_t num = 0;
    for (uint32_t b = 0; b < c->num_sequences; b++) {
        for (uint32_t row = own[b]; row < own[b + 1]; row += ATTENTION_ROWS) {
            uint32_t rows = min_u32(ATTENTION_ROWS, own[b + 1] - row);
            uint32_t begin = c->causal && of_keys ? row : other[b];
            uint32_t end = c->causal && !of_keys ? row + rows : other[b + 1];
            if (blocks)
                memcpy(blocks + 4 * num, (uint32_t[]){row, rows, begin, end}, 4 * sizeof *blocks);
            num++;
        }
    }
    return num;
}

void attention_case_make(struct arena *arena, struct rng *rng, const uint32_t (*lengths)[2],
                         struct attention_case *c) {
    uint32_t width = c->head_width * c->num_heads;
    c->query_offsets[0] = c->key_offsets[0] = 0;
    for (uint32_t b = 0; b < c->num_sequences; b++) {
        c->query_offsets[b + 1] = c->query_offsets[b] + lengths[b][0];
        c->key_offsets[b + 1] = c->key_offsets[b] + lengths[b][c->self ? 0 : 1];
    }
    uint32_t rows = c->query_offsets[c->num_sequences], keys = c->key_offsets[c->num_sequences];
    c->q = matrix_random(arena, rng, rows, c->self ? 3 * width : width, 1);
    c->kv = c->self ? c->q : matrix_random(arena, rng, keys, 2 * width, 1);
    c->r = matrix_random(arena, rng, rows, width, 1);
    c->out = matrix_like(arena, c->r);
    c->dq = c->without_dq ? NULL : matrix_like(arena, c->q);
    c->dkv = c->self ? c->dq : c->without_dkv ? NULL : matrix_like(arena, c->kv);
    c->num_query_blocks = list_blocks(c, false, NULL);
    c->num_key_blocks = list_blocks(c, true, NULL);
    c->query_blocks = ARENA_NEW(arena, uint32_t, 4 * c->num_query_blocks + 1);
    c->key_blocks = ARENA_NEW(arena, uint32_t, 4 * c->num_key_blocks + 1);
    CHECK(c->query_blocks && c->key_blocks); // the arena has room
    list_blocks(c, false, c->query_blocks);
    list_blocks(c, true, c->key_blocks);
}

// A multiple of 4, as harness_result wants it for a column.
static uint32_t capacity(uint32_t rows) {
    return (rows + SPARE_ROWS) / 4 * 4;
}

struct attention_params attention_case_inputs(struct harness *h, const struct attention_case *c) {
    uint32_t width = c->head_width * c->num_heads;
    struct dim queries = harness_dim(h, capacity(c->q->rows), c->q->rows);
    struct dim keys = c->self ? queries : harness_dim(h, capacity(c->kv->rows), c->kv->rows);
    struct dim query_blocks = harness_dim(h, c->num_query_blocks + 9, c->num_query_blocks);
    struct dim key_blocks = harness_dim(h, c->num_key_blocks + 9, c->num_key_blocks);
    struct tensor *q = harness_hidden(h, queries, c->q, c->dq);
    return (struct attention_params){
        .q = q,
        .kv = c->self ? q : harness_hidden(h, keys, c->kv, c->dkv),
        .k_col = c->self ? width : 0,
        .v_col = c->self ? 2 * width : width,
        .width = width,
        .num_heads = c->num_heads,
        .blocks = {.queries =
                       harness_uints(h, query_blocks, 4, c->query_blocks, c->num_query_blocks),
                   .keys = harness_uints(h, key_blocks, 4, c->key_blocks, c->num_key_blocks),
                   .causal = c->causal},
        .dropout = c->dropout,
    };
}

void attention_case_build(struct harness *h, void *user) {
    struct attention_case *c = user;
    const struct attention_params params = attention_case_inputs(h, c);
    harness_result(h, op_attention(h->graph, &params), c->out, c->r);
}

struct oracle_attention attention_case_oracle(const struct attention_case *c) {
    uint32_t width = c->head_width * c->num_heads;
    return (struct oracle_attention){
        .q = c->q,
        .kv = c->kv,
        .k_col = c->self ? width : 0,
        .v_col = c->self ? 2 * width : width,
        .width = width,
        .num_heads = c->num_heads,
        .num_sequences = c->num_sequences,
        .query_offsets = c->query_offsets,
        .key_offsets = c->key_offsets,
        .causal = c->causal,
    };
}

enum vks_status attention_case_check(struct check *check, uint32_t stream,
                                     const uint32_t (*lengths)[2], struct attention_case *c) {
    struct harness h = {.device = check->device,
                        .dropout_seed = DROPOUT.seed,
                        .dropout_rank = DROPOUT.rank,
                        .dropout_step = DROPOUT.step};
    struct arena *arena = check->arena;
    struct rng rng = {check->seed, stream, 0};
    attention_case_make(arena, &rng, lengths, c);
    matrix_round(c->q, check->element);
    matrix_round(c->kv, check->element);
    TRY(check_run(check, &h, attention_case_build, c));
    struct oracle_dropout dropout = DROPOUT;
    dropout.probability = c->dropout;
    struct oracle_attention oracle = attention_case_oracle(c);
    oracle.dropout = &dropout;
    struct matrix *out = matrix_like(arena, c->out), *dq = matrix_like(arena, c->q);
    struct matrix *dkv = c->self ? dq : matrix_like(arena, c->kv);
    oracle_attention(arena, &oracle, out);
    oracle_attention_gradient(arena, &oracle, c->r, dq, dkv);
    check_compare_rounded(check, CHECK_FORWARD, "out", c->out, out);
    if (c->dq)
        check_compare_rounded(check, CHECK_GRADIENT, "dq", c->dq, dq);
    if (c->dkv)
        check_compare_rounded(check, CHECK_GRADIENT, "dkv", c->dkv, dkv);
    return VKS_OK;
}

enum vks_status attention_selftest(struct check *check) {
    // The Transformer's three masks, without and with dropout; one row, a block, one past it, more
    // than a wave of keys. Heads are as wide as the training's, whose kernels are compiled anyway.
    static const uint32_t self[][2] = {{1, 0}, {8, 0}, {9, 0}, {37, 0}, {100, 0}};
    static const uint32_t cross[][2] = {{5, 1}, {17, 70}, {1, 100}, {33, 3}, {0, 6}};
    for (uint32_t i = 0; i < 6; i++) {
        struct attention_case c = {.head_width = 8,
                                   .num_heads = 4,
                                   .self = i % 3 < 2,
                                   .causal = i % 3 == 1,
                                   .dropout = i < 3 ? 0.0f : 0.2f,
                                   .num_sequences = COUNT_OF(self)};
        TRY(attention_case_check(check, i, c.self ? self : cross, &c));
    }
    return VKS_OK;
}
