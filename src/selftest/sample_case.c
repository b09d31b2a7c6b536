#include "selftest/sample_case.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "ops/copy.h"
#include "ops/beam_search.h"
#include "ops/sample.h"
#include "selftest/operators.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUM_SENTENCES = 3, STEP = 4, PAD = 1 };

// Noisy logits as near to each other as this, and masses as near to the wanted one, may be taken
// for each other.
static const double NOISE_TOLERANCE = 1e-4, MASS_TOLERANCE = 1e-5;

struct run {
    struct sample_case *c;
    uint32_t *table, num_words, section;
    uint32_t sentences[NUM_SENTENCES * SENTENCE_WORDS];
};

static uint32_t sentence_of(uint32_t row) {
    return row % NUM_SENTENCES;
}

static uint32_t draw_of(uint32_t row) {
    return row / NUM_SENTENCES;
}

static void build(struct harness *h, void *user) {
    struct run *run = user;
    const struct sample_case *c = run->c;
    struct dim rows = harness_dim(h, c->rows, c->rows);
    struct dim words = harness_dim(h, run->num_words, run->num_words);
    struct dim sentences = harness_dim(h, NUM_SENTENCES, NUM_SENTENCES);
    const struct beam_tables tables = {
        .rows = harness_uints(h, words, 1, run->table, run->num_words),
        .of_sentences = harness_uints(h, sentences, SENTENCE_WORDS, run->sentences, NUM_SENTENCES),
        .section = run->section};
    const struct sample_params params = {.logits = harness_leaf(h, rows, c->logits, NULL),
                                         .tables = &tables,
                                         .pad = PAD,
                                         .from = c->from,
                                         .k = c->k,
                                         .mass = c->mass,
                                         .temperature = c->temperature,
                                         .seed = c->seed};
    if (h->graph->status == VKS_OK)
        harness_words(h, op_copy_out(h->graph, op_sample(h->graph, &params)), c->drawn, c->rows);
}

// -log(-log(1 - rest)) of a random number.
static double gumbel(uint32_t random) {
    double rest = ((double)random + 0.5) / 4294967296.0;
    return -log(-log1p(-rest));
}

static double noisy_logit(const struct run *run, uint32_t row, uint32_t token) {
    const uint32_t *sentence = run->sentences + (size_t)sentence_of(row) * SENTENCE_WORDS;
    const uint32_t key[2] = {run->c->seed, sentence[SENTENCE_HASH]};
    const uint32_t counter[4] = {token / 4, STEP, draw_of(row), sentence[SENTENCE_HASH + 1]};
    uint32_t random[4];
    philox4x32(key, counter, random);
    return AT(run->c->logits, row, token) / (double)run->c->temperature + gumbel(random[token % 4]);
}

static int greater_first(const void *a_ref, const void *b_ref) {
    double a = *(const double *)a_ref, b = *(const double *)b_ref;
    return a > b ? -1 : a < b;
}

// The lowest logit that may be drawn, where as much as `mass` of the probability is wanted. sorted
// [vocab]: to work in.
static double lowest_logit(const struct run *run, uint32_t row, double mass, double *sorted) {
    const struct sample_case *c = run->c;
    double total = 0, sum = 0;
    uint32_t num = 0;
    for (uint32_t i = 0; i < c->vocab; i++)
        if (i != PAD)
            sorted[num++] = AT(c->logits, row, i);
    qsort(sorted, num, sizeof *sorted, greater_first);
    if (c->from == SAMPLE_FROM_ALL)
        return sorted[num - 1];
    if (c->from == SAMPLE_FROM_TOP_K)
        return sorted[min_u32(c->k, num) - 1];
    for (uint32_t i = 0; i < num; i++)
        total += exp(sorted[i] / (double)c->temperature);
    for (uint32_t i = 0; i < num; i++) {
        sum += exp(sorted[i] / (double)c->temperature);
        if (sum >= mass * total)
            return sorted[i];
    }
    return sorted[num - 1];
}

static bool is_right(const struct run *run, uint32_t row, double *sorted) {
    const struct sample_case *c = run->c;
    uint32_t token = c->drawn[2 * row + 1];
    double mass = (double)c->mass, best = -HUGE_VAL;
    double few = lowest_logit(run, row, mass - MASS_TOLERANCE, sorted);
    double many = lowest_logit(run, row, mass + MASS_TOLERANCE, sorted);
    float logit;
    memcpy(&logit, &c->drawn[2 * row], sizeof logit);
    if (token >= c->vocab || token == PAD || (double)logit != AT(c->logits, row, token))
        return false;
    for (uint32_t i = 0; i < c->vocab; i++)
        if (i != PAD && AT(c->logits, row, i) >= few)
            best = fmax(best, noisy_logit(run, row, i));
    return AT(c->logits, row, token) >= many &&
           noisy_logit(run, row, token) > best - NOISE_TOLERANCE * (1 + fabs(best));
}

enum vks_status sample_case_check(struct check *check, struct sample_case *c) {
    struct harness h = {.device = check->device};
    struct run run = {.c = c, .section = beam_section_words(c->rows)};
    struct rng rng = {check->seed, 77, 0};
    run.num_words = (uint32_t)beam_rows_words(c->rows, 1);
    run.table = ARENA_NEW(check->arena, uint32_t, run.num_words);
    c->drawn = ARENA_NEW(check->arena, uint32_t, 2 * (size_t)c->rows);
    double *sorted = ARENA_NEW(check->arena, double, c->vocab);
    CHECK(run.table && c->drawn && sorted); // the arena has room
    for (size_t i = 0; i < COUNT_OF(run.sentences); i++)
        run.sentences[i] = rng_next(&rng);
    for (uint32_t row = 0; row < c->rows; row++) {
        run.table[(size_t)ROWS_SELF * run.section + 4 * row + 3] = STEP;
        run.table[(size_t)ROWS_CROSS * run.section + 4 * row] = sentence_of(row);
        run.table[(size_t)ROWS_CROSS * run.section + 4 * row + 1] = draw_of(row);
    }
    TRY(check_run(check, &h, build, &run));
    for (uint32_t row = 0; row < c->rows; row++)
        check_exact(check, "drawn tokens", is_right(&run, row, sorted));
    return VKS_OK;
}

enum vks_status sample_selftest(struct check *check) {
    struct sample_case cases[] = {
        {.from = SAMPLE_FROM_ALL, .temperature = 1.0f, .seed = 5},
        {.from = SAMPLE_FROM_TOP_K, .k = 7, .temperature = 1.5f},
        {.from = SAMPLE_FROM_NUCLEUS, .mass = 0.8f, .temperature = 0.75f, .seed = UINT32_MAX},
    };
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        struct rng rng = {check->seed, 80 + i, 0};
        cases[i].rows = 20;
        cases[i].vocab = 203;
        cases[i].logits = matrix_random(check->arena, &rng, 20, 203, 3);
        TRY(sample_case_check(check, &cases[i]));
    }
    return VKS_OK;
}
