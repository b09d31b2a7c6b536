#include "selftest/attention_probe_case.h"

#include "base/check.h"
#include "base/log.h"
#include "ops/attention_probe.h"
#include "selftest/operators.h"

#include <math.h>
#include <string.h>

enum { NUM_HEADS = 3, NUM_SEQUENCES = 3, ROWS = 40, MAX_KEYS = 36, MAX_BLOCKS = 12, BLOCK = 8 };

static const uint32_t offsets[NUM_SEQUENCES + 1] = {0, 1, 34, 40};

struct probe_case {
    uint32_t head_width, first_head, num_mean_heads;
    bool causal;
    struct matrix *q, *kv;
    uint32_t blocks[MAX_BLOCKS * 4], num_blocks;
    uint32_t cells[ROWS * MAX_KEYS]; // floats
};

static void build(struct harness *h, void *user) {
    struct probe_case *c = user;
    struct dim rows = harness_dim(h, ROWS, ROWS);
    struct dim blocks = harness_dim(h, MAX_BLOCKS, c->num_blocks);
    const struct attention_probe_params params = {
        .q = harness_hidden(h, rows, c->q, NULL),
        .kv = harness_hidden(h, rows, c->kv, NULL),
        .blocks = harness_uints(h, blocks, 4, c->blocks, c->num_blocks),
        .q_col = 4,
        .k_col = 8,
        .width = NUM_HEADS * c->head_width,
        .num_heads = NUM_HEADS,
        .causal = c->causal,
        .first_head = c->first_head,
        .num_mean_heads = c->num_mean_heads,
        .max_keys = MAX_KEYS};
    if (h->graph->status == VKS_OK)
        harness_words(h, op_attention_probe(h->graph, &params), c->cells, ROWS);
}

// The probabilities of a row's keys by one head are added to `sums`.
static void add_head(const struct probe_case *c, uint32_t row, uint32_t first, uint32_t end,
                     uint32_t head, double *sums) {
    double weights[MAX_KEYS], total = 0;
    for (uint32_t key = first; key < end; key++) {
        double dot = 0;
        for (uint32_t i = 0; i < c->head_width; i++)
            dot += AT(c->q, row, 4 + head * c->head_width + i) *
                   AT(c->kv, key, 8 + head * c->head_width + i);
        weights[key - first] = exp(dot / sqrt(c->head_width));
        total += weights[key - first];
    }
    for (uint32_t key = first; key < end; key++)
        sums[key - first] += weights[key - first] / total;
}

static void compare(struct check *check, const struct probe_case *c) {
    struct matrix *found = matrix_new(check->arena, ROWS, MAX_KEYS);
    struct matrix *expected = matrix_like(check->arena, found);
    for (uint32_t i = 0; i < NUM_SEQUENCES; i++) {
        for (uint32_t row = offsets[i]; row < offsets[i + 1]; row++) {
            double sums[MAX_KEYS] = {0};
            for (uint32_t head = 0; head < c->num_mean_heads; head++)
                add_head(c, row, offsets[i], c->causal ? row + 1 : offsets[i + 1],
                         c->first_head + head, sums);
            for (uint32_t key = 0; key < offsets[i + 1] - offsets[i]; key++) {
                float cell;
                memcpy(&cell, &c->cells[row * MAX_KEYS + key], sizeof cell);
                AT(found, row, key) = (double)cell;
                AT(expected, row, key) = sums[key] / c->num_mean_heads;
            }
        }
    }
    check_compare(check, CHECK_FORWARD, "probabilities", found, expected);
}

enum vks_status attention_probe_case_check(struct check *check, uint32_t head_width, bool causal,
                                           uint32_t first_head, uint32_t num_mean_heads) {
    struct harness h = {.device = check->device};
    struct rng rng = {check->seed, 90 + causal, 0};
    struct probe_case c = {.head_width = head_width,
                           .first_head = first_head,
                           .num_mean_heads = num_mean_heads,
                           .causal = causal};
    c.q = matrix_random(check->arena, &rng, ROWS, NUM_HEADS * head_width + 4, 2);
    c.kv = matrix_random(check->arena, &rng, ROWS, NUM_HEADS * head_width + 8, 2);
    matrix_round(c.q, check->element);
    matrix_round(c.kv, check->element);
    for (uint32_t i = 0; i < NUM_SEQUENCES; i++)
        for (uint32_t row = offsets[i]; row < offsets[i + 1]; row += BLOCK) {
            uint32_t *block = c.blocks + (size_t)4 * c.num_blocks++;
            block[0] = row;
            block[1] = min_u32(BLOCK, offsets[i + 1] - row);
            block[2] = offsets[i];
            block[3] = offsets[i + 1];
        }
    TRY(check_run(check, &h, build, &c));
    compare(check, &c);
    return VKS_OK;
}

enum vks_status attention_probe_selftest(struct check *check) {
    TRY(attention_probe_case_check(check, 8, false, 0, NUM_HEADS));
    return attention_probe_case_check(check, 20, true, 1, 1);
}
