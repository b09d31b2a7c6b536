#include "selftest/top_k_case.h"

#include "base/check.h"
#include "base/log.h"
#include "ops/copy.h"
#include "ops/decoding.h"
#include "selftest/operators.h"

#include <string.h>

enum { MAX_K = 64 };

uint32_t top_k_case_stride(const struct top_k_case *c) {
    return top_k_num_stretches(c->logits->cols) * 2 * c->k;
}

void top_k_case_build(struct harness *h, void *user) {
    struct top_k_case *c = user;
    struct dim rows = harness_dim(h, c->logits->rows + 3, c->logits->rows);
    struct tensor *logits = harness_leaf(h, rows, c->logits, NULL);
    struct tensor *best = op_top_k(h->graph, logits, c->pad, c->k);
    harness_words(h, op_copy_out(h->graph, best), c->best, c->logits->rows);
}

static double word_float(uint32_t word) {
    float value;
    memcpy(&value, &word, sizeof value);
    return (double)value;
}

// One stretch of one row: words are pairs. Symbols and their logits are exact.
static bool stretch_is_right(const struct top_k_case *c, const uint32_t *words,
                             const struct oracle_top_k *stretch, const uint32_t ids[MAX_K]) {
    bool is_right = true;
    for (uint32_t i = 0; i < c->k; i++) {
        const uint32_t *pair = words + 2 * i;
        is_right &= pair[1] == ids[i];
        if (ids[i] != UINT32_MAX)
            is_right &= word_float(pair[0]) == AT(c->logits, stretch->row, ids[i]);
    }
    return is_right;
}

enum vks_status top_k_case_check(struct check *check, struct top_k_case *c) {
    struct harness h = {.device = check->device};
    uint32_t num_stretches = top_k_num_stretches(c->logits->cols), stride = top_k_case_stride(c);
    uint32_t rows = c->logits->rows, ids[MAX_K];
    c->best = ARENA_NEW(check->arena, uint32_t, (size_t)rows * stride);
    CHECK(c->best && c->k <= MAX_K); // the arena has room
    TRY(check_run(check, &h, top_k_case_build, c));
    for (uint32_t row = 0; row < rows; row++) {
        for (uint32_t i = 0; i < num_stretches; i++) {
            const uint32_t *words = c->best + (size_t)row * stride + (size_t)i * 2 * c->k;
            struct oracle_top_k stretch = {c->logits, row, i * TOP_K_STRETCH, 0, c->pad, c->k};
            stretch.end = min_u32(stretch.first + TOP_K_STRETCH, c->logits->cols);
            oracle_top_k(&stretch, ids);
            check_exact(check, "symbols", stretch_is_right(c, words, &stretch, ids));
        }
    }
    return VKS_OK;
}

enum vks_status top_k_selftest(struct check *check) {
    // In one stretch, and in more than one.
    static const uint32_t shapes[][2] = {{101, 5}, {20003, 12}};
    for (uint32_t i = 0; i < COUNT_OF(shapes); i++) {
        struct rng rng = {check->seed, 50 + i, 0};
        struct top_k_case c = {.logits = matrix_random(check->arena, &rng, 4, shapes[i][0], 3),
                               .pad = shapes[i][0] / 2,
                               .k = shapes[i][1]};
        TRY(top_k_case_check(check, &c));
    }
    return VKS_OK;
}
