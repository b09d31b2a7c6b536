#include "selftest/allow_case.h"

#include "base/check.h"
#include "base/log.h"
#include "ops/allow.h"
#include "selftest/operators.h"

// Rows of the search, the sentences they are of (the last row is idle), and what stands before the
// sets in the table of words.
enum { ROWS = 5, SENTENCES = 2, WORDS_BEFORE = 3, MAX_SET = 64, SECTION = 8 };
static const uint32_t sentence_of[ROWS] = {0, 0, 1, 1, 0};

struct allow_case {
    struct matrix *logits, *out;
    uint32_t set_words;
    uint32_t sentences[SENTENCES][SENTENCE_WORDS];
    uint32_t rows[SECTION * (ROWS_CROSS + 4)];
    uint32_t words[WORDS_BEFORE + SENTENCES * MAX_SET];
};

static void build(struct harness *h, void *user) {
    struct allow_case *c = user;
    uint32_t num_rows = COUNT_OF(c->rows), num_words = COUNT_OF(c->words);
    struct dim rows = harness_dim(h, 2 * ROWS, ROWS);
    const struct beam_tables tables = {
        .of_sentences = harness_uints(h, harness_dim(h, SENTENCES, SENTENCES), SENTENCE_WORDS,
                                      c->sentences[0], SENTENCES),
        .rows = harness_uints(h, harness_dim(h, num_rows, num_rows), 1, c->rows, num_rows),
        .section = SECTION};
    struct tensor *words =
        harness_uints(h, harness_dim(h, num_words, num_words), 1, c->words, num_words);
    struct tensor *logits = harness_leaf(h, rows, c->logits, NULL);
    op_allow(h->graph, logits, &tables, words);
    harness_result(h, logits, c->out, NULL);
}

static void make(struct arena *arena, struct rng *rng, uint32_t vocab, struct allow_case *c) {
    *c = (struct allow_case){.set_words = div_up_u32(vocab, 32)};
    CHECK(c->set_words <= MAX_SET);
    c->logits = matrix_random(arena, rng, ROWS, vocab, 1);
    c->out = matrix_like(arena, c->logits);
    for (uint32_t i = 0; i < COUNT_OF(c->words); i++)
        c->words[i] = rng_below(rng, UINT32_MAX);
    for (uint32_t i = 0; i < SENTENCES; i++)
        c->sentences[i][SENTENCE_SET] = WORDS_BEFORE + i * c->set_words;
    for (uint32_t row = 0; row < ROWS; row++) {
        c->rows[ROWS_SELF * SECTION + 4 * row + 3] = row + 1 < ROWS;
        c->rows[ROWS_CROSS * SECTION + 4 * row] = sentence_of[row];
    }
}

enum vks_status allow_case_check(struct check *check, uint32_t vocab) {
    struct harness h = {.device = check->device};
    struct rng rng = {check->seed, vocab, 0};
    struct allow_case *c = ARENA_NEW(check->arena, struct allow_case, 1);
    CHECK(c); // the arena has room
    make(check->arena, &rng, vocab, c);
    TRY(check_run(check, &h, build, c));
    bool holds = true;
    for (uint32_t row = 0; row < ROWS; row++)
        for (uint32_t token = 0; token < vocab; token++) {
            const uint32_t *set = c->words + c->sentences[sentence_of[row]][SENTENCE_SET];
            bool is_allowed = row + 1 == ROWS || set[token / 32] >> token % 32 & 1;
            double out = AT(c->out, row, token), before = AT(c->logits, row, token);
            holds &= is_allowed ? out == before : out < -3e38;
        }
    check_exact(check, "allowed tokens", holds);
    return VKS_OK;
}

enum vks_status allow_selftest(struct check *check) {
    TRY(allow_case_check(check, 1030));
    return allow_case_check(check, 61);
}
