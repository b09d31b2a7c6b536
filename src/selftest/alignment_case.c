#include "selftest/alignment_case.h"

#include "base/check.h"
#include "base/log.h"
#include "ops/alignment.h"
#include "selftest/alignment_oracle.h"
#include "selftest/operators.h"

// Links of random tokens: of each query none, one or two.
static void make_links(struct rng *rng, struct alignment_case *c) {
    uint32_t words = alignment_link_words(c->max_keys);
    const struct attention_case *a = &c->attention;
    for (uint32_t b = 0; b < a->num_sequences; b++) {
        uint32_t num_keys = a->key_offsets[b + 1] - a->key_offsets[b];
        for (uint32_t row = a->query_offsets[b]; row < a->query_offsets[b + 1]; row++) {
            for (uint32_t i = rng_below(rng, 3); i > 0 && num_keys; i--) {
                uint32_t key = rng_below(rng, num_keys);
                AT(c->links, row, key) = 1;
                c->link_words[row * words + key / 32] |= 1u << key % 32;
            }
        }
    }
}

void alignment_case_make(struct arena *arena, struct rng *rng, const uint32_t (*lengths)[2],
                         struct alignment_case *c) {
    attention_case_make(arena, rng, lengths, &c->attention);
    uint32_t rows = c->attention.q->rows;
    c->links = matrix_new(arena, rows, c->max_keys);
    c->weights = matrix_like(arena, c->links);
    c->losses = matrix_new(arena, rows, 1);
    c->link_words = ARENA_NEW(arena, uint32_t, rows * alignment_link_words(c->max_keys) + 1);
    CHECK(c->link_words); // the arena has room
    make_links(rng, c);
}

void alignment_case_build(struct harness *h, void *user) {
    struct alignment_case *c = user;
    uint32_t words = alignment_link_words(c->max_keys), col = c->head * c->attention.head_width;
    const struct attention_params attention = attention_case_inputs(h, &c->attention);
    if (h->graph->status != VKS_OK)
        return;
    const struct attention_weights_params params = {
        .q = attention.q,
        .kv = attention.kv,
        .q_col = attention.q_col + col,
        .k_col = attention.k_col + col,
        .head_width = c->attention.head_width,
        .max_keys = c->max_keys,
        .query_blocks = attention.blocks.queries,
        .key_blocks = attention.blocks.keys,
    };
    struct tensor *weights = op_attention_weights(h->graph, &params);
    harness_result(h, weights, c->weights, NULL);
    struct tensor *out = op_attention(h->graph, &attention);
    const struct alignment_loss_params loss = {
        .weights = weights,
        .links = harness_uints(h, attention.q->rows, words, c->link_words, c->attention.q->rows),
        .cost = c->cost,
        .weight = c->weight,
    };
    harness_result(h, op_alignment_loss(h->graph, &loss), c->losses, NULL);
    harness_result(h, out, c->attention.out, c->attention.r);
}

static void compare(struct check *check, const struct alignment_case *c) {
    struct arena *arena = check->arena;
    const struct attention_case *a = &c->attention;
    const struct oracle_attention attention = attention_case_oracle(a);
    struct matrix *weights = matrix_like(arena, c->weights),
                  *losses = matrix_like(arena, c->losses);
    struct matrix *dweights = matrix_like(arena, c->weights);
    const struct oracle_weights_gradient gradient = {weights, dweights, matrix_like(arena, a->q),
                                                     matrix_like(arena, a->kv)};
    oracle_attention_weights(&attention, c->head, weights);
    const struct oracle_alignment oracle = {weights, c->links, c->cost, (double)c->weight};
    oracle_alignment(&oracle, losses);
    oracle_alignment_gradient(&oracle, dweights);
    for (size_t i = 0; i < (size_t)dweights->rows * dweights->cols; i++)
        dweights->v[i] *= c->loss_scale != 0.0f ? (double)c->loss_scale : 1;
    oracle_attention_gradient(arena, &attention, a->r, gradient.q, gradient.kv);
    oracle_attention_weights_gradient(&attention, c->head, &gradient);
    check_compare(check, CHECK_FORWARD, "weights", c->weights, weights);
    check_compare(check, CHECK_FORWARD, "losses", c->losses, losses);
    check_compare_rounded(check, CHECK_GRADIENT, "dq", a->dq, gradient.q);
    check_compare_rounded(check, CHECK_GRADIENT, "dkv", a->dkv, gradient.kv);
}

enum vks_status alignment_case_check(struct check *check, uint32_t stream,
                                     const uint32_t (*lengths)[2], struct alignment_case *c) {
    struct harness h = {.device = check->device, .loss_scale = c->loss_scale};
    struct rng rng = {check->seed, stream, 0};
    alignment_case_make(check->arena, &rng, lengths, c);
    matrix_round(c->attention.q, check->element);
    matrix_round(c->attention.kv, check->element);
    TRY(check_run(check, &h, alignment_case_build, c));
    compare(check, c);
    return VKS_OK;
}

enum vks_status alignment_selftest(struct check *check) {
    // One key, a wave of them and more, none, and queries that are no full block.
    static const uint32_t lengths[][2] = {{5, 1}, {17, 70}, {1, 100}, {33, 3}, {0, 6}, {3, 0}};
    static const uint32_t costs[] = {ALIGNMENT_COST_CE, ALIGNMENT_COST_MSE, ALIGNMENT_COST_MULT};
    for (uint32_t i = 0; i < COUNT_OF(costs); i++) {
        struct alignment_case c = {
            .attention = {.head_width = 8, .num_heads = 4, .num_sequences = COUNT_OF(lengths)},
            .head = i + 1,
            .max_keys = 100,
            .cost = costs[i],
            .weight = 0.5f};
        TRY(alignment_case_check(check, 300 + i, lengths, &c));
    }
    return VKS_OK;
}
