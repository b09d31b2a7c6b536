#include "selftest/search_case.h"

#include "base/check.h"
#include "base/log.h"
#include "ops/beam_search.h"
#include "ops/constrain.h"
#include "ops/copy.h"
#include "ops/decoding.h"
#include "ops/log_probs.h"
#include "selftest/operators.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUM_SENTENCES = 3, NUM_STEPS = 2, MAX_STEPS = 5, MAX_K = 8, PAD = 2 };
enum { NUM_MODELS = 2, SUPPRESSED = 3, MAX_EVENTS = 2 * MAX_K, FORCED = 5, START = 7 };

static const double UNDECIDED = 1e-5;

static const float weights[NUM_MODELS] = {0.75f, 0.5f};
static const float lengths[2 * (MAX_STEPS + 1)] = {0,    1,     0.1f, 1,    0.2f, 0.5f,
                                                   0.3f, 0.25f, 0.4f, 0.2f, 0.5f, 0.1f};

struct prefix {
    uint32_t tokens[NUM_STEPS], num;
    double sum;
};

// A sentence as the host sees it.
struct beam {
    struct prefix alive[MAX_K];
    uint32_t num_alive, num_ended;
};

struct run {
    const struct search_case *c;
    struct matrix *logits[NUM_STEPS][NUM_MODELS]; // [NUM_SENTENCES k, vocab], as rows turn out
    struct matrix *log_sums[NUM_STEPS][NUM_MODELS];
    uint32_t lengths[2 * (MAX_STEPS + 1)], zeros[NUM_SENTENCES * MAX_K]; // floats
    uint32_t *events[NUM_STEPS];            // [NUM_SENTENCES, event_stride]
    uint32_t *parts[NUM_STEPS][NUM_MODELS]; // floats [NUM_SENTENCES, parts_stride]
    uint32_t sentences[NUM_SENTENCES * SENTENCE_WORDS], words[4];
};

static uint32_t num_models(const struct run *run) {
    return run->c->has_two_models ? NUM_MODELS : 1;
}

// Of outputs: those of both need no pads.
static uint32_t event_stride(const struct search_case *c) {
    return beam_event_words(c->k);
}

static uint32_t parts_stride(const struct search_case *c) {
    CHECK(!c->has_two_models || c->k % 2 == 0);
    return 2 * c->k;
}

static struct tensor *leaf(struct harness *h, struct dim dim, const struct matrix *value) {
    return harness_leaf(h, dim, value, NULL);
}

static void declare_tables(struct harness *h, const struct run *run, struct beam_tables *tables) {
    struct graph *graph = h->graph;
    uint32_t rows = NUM_SENTENCES * run->c->k;
    uint32_t words = (uint32_t)beam_rows_words(rows, rows * MAX_STEPS);
    struct dim sentences = harness_dim(h, NUM_SENTENCES, NUM_SENTENCES);
    *tables = (struct beam_tables){
        .sentences = sentences,
        .of_sentences = harness_uints(h, sentences, SENTENCE_WORDS, run->sentences, NUM_SENTENCES),
        .beams = graph_activation(graph, sentences, beam_words(run->c->k)),
        .cache_rows = graph_activation(graph, graph_dim_fixed(graph, rows), MAX_STEPS),
        .next_cache_rows = graph_activation(graph, graph_dim_fixed(graph, rows), MAX_STEPS),
        .rows = graph_activation(graph, graph_dim_fixed(graph, words), 1),
        .section = beam_section_words(rows)};
}

// Logits and what is taken from them.
static void add_log_probs(struct harness *h, const struct run *run, struct dim rows, uint32_t step,
                          struct tensor *parts[NUM_MODELS][2], struct tensor *result[2]) {
    struct tensor *sum = NULL;
    for (uint32_t i = 0; i < num_models(run); i++) {
        result[0] = parts[i][0] = leaf(h, rows, run->logits[step][i]);
        result[1] = parts[i][1] = op_log_sum_exp(h->graph, result[0], PAD);
        if (run->c->has_two_models)
            sum = op_combine(h->graph, result[0], result[1], weights[i], sum);
    }
    if (!run->c->has_two_models)
        return;
    result[0] = sum;
    result[1] = harness_uints(h, rows, 1, run->zeros, NUM_SENTENCES * run->c->k);
}

static void build(struct harness *h, void *user) {
    struct run *run = user;
    const struct search_case *c = run->c;
    const struct beam_rule rule = {.rule = c->rule,
                                   .k = c->k,
                                   .n_best = c->k,
                                   .start_alive = 1,
                                   .start_token = c->penalty_kind ? START : PAD,
                                   .eos_id = c->eos};
    struct beam_tables tables;
    struct tensor *log_probs[2] = {NULL}, *parts[NUM_MODELS][2];
    uint32_t num_rows = NUM_SENTENCES * c->k, best_k = min_u32(c->k + 1, c->vocab - 1);
    struct dim rows = harness_dim(h, num_rows, num_rows);
    declare_tables(h, run, &tables);
    struct tensor *words = harness_uints(h, harness_dim(h, 4, 4), 1, run->words, 4);
    struct dim num_lengths = harness_dim(h, MAX_STEPS + 1, MAX_STEPS + 1);
    struct tensor *terms = harness_uints(h, num_lengths, 2, run->lengths, MAX_STEPS + 1);
    op_beam_begin(h->graph, &rule, &tables);
    op_beam_advance(h->graph, &rule, &tables);
    for (uint32_t step = 0; step < NUM_STEPS; step++) {
        add_log_probs(h, run, rows, step, parts, log_probs);
        const struct constrain_params constrain = {.logits = log_probs[0],
                                                   .log_sums = log_probs[1],
                                                   .tables = &tables,
                                                   .words = words,
                                                   .num_suppressed = 1,
                                                   .num_given = c->has_given,
                                                   .forces_eos = c->forces_eos,
                                                   .penalty_kind = c->penalty_kind,
                                                   .eos_id = c->eos,
                                                   .min_length = c->min_length,
                                                   .no_repeat_ngram = c->no_repeat_ngram,
                                                   .repetition_penalty = c->repetition_penalty};
        op_constrain(h->graph, &constrain);
        const struct beam_select_params select = {
            .rule = &rule,
            .tables = &tables,
            .best = op_top_k(h->graph, log_probs[0], PAD, best_k),
            .best_k = best_k,
            .log_sums = log_probs[1],
            .lengths = terms,
            .heads = graph_activation(h->graph, rows, top_k_num_stretches(c->vocab))};
        if (h->graph->status != VKS_OK)
            return;
        struct tensor *events = op_beam_select(h->graph, &select);
        harness_words(h, events, run->events[step], NUM_SENTENCES);
        for (uint32_t i = 0; i < NUM_MODELS && c->has_two_models; i++)
            harness_words(h,
                          op_beam_parts(h->graph, &rule, &tables, events, parts[i][0], parts[i][1]),
                          run->parts[step][i], NUM_SENTENCES);
        op_beam_advance(h->graph, &rule, &tables);
    }
}

static bool has_token(const struct prefix *prefix, uint32_t token) {
    for (uint32_t i = 0; i < prefix->num; i++)
        if (prefix->tokens[i] == token)
            return true;
    return false;
}

// What a token adds to a hypothesis; -HUGE_VAL: it may not follow.
static double log_prob(const struct run *run, uint32_t sentence, const struct prefix *prefix,
                       uint32_t row, uint32_t token) {
    const struct search_case *c = run->c;
    double sum = 0;
    for (uint32_t i = 0; i < num_models(run); i++)
        sum += (c->has_two_models ? (double)weights[i] : 1) *
               (AT(run->logits[prefix->num][i], row, token) -
                AT(run->log_sums[prefix->num][i], row, 0));
    if (token == PAD)
        return -HUGE_VAL;
    if (c->has_prefix && sentence == 0 && prefix->num == 0)
        return token != FORCED ? -HUGE_VAL : c->has_given ? 0 : sum;
    if (c->forces_eos && prefix->num + 1 == NUM_STEPS)
        return token == c->eos ? 0 : -HUGE_VAL;
    if (token == SUPPRESSED || (token == c->eos && prefix->num < c->min_length) ||
        (c->no_repeat_ngram == 1 && has_token(prefix, token)))
        return -HUGE_VAL;
    bool is_penalized =
        has_token(prefix, token) || (token == START && (c->penalty_kind & PENALTY_OF_START));
    if (!is_penalized)
        return sum;
    if (!(c->penalty_kind & PENALTY_OF_LOGITS))
        return sum * (double)c->repetition_penalty;
    double logit = AT(run->logits[prefix->num][0], row, token);
    return (logit > 0 ? logit / (double)c->repetition_penalty
                      : logit * (double)c->repetition_penalty) -
           AT(run->log_sums[prefix->num][0], row, 0);
}

struct option {
    double sum;
    uint32_t parent, token;
};

// The best option after one with the sum `last`; its sum is -HUGE_VAL when there is none.
static struct option next_option(const struct run *run, uint32_t sentence, const struct beam *beam,
                                 uint32_t first_row, double last) {
    struct option best = {-HUGE_VAL, 0, 0};
    for (uint32_t i = 0; i < beam->num_alive; i++) {
        for (uint32_t token = 0; token < run->c->vocab; token++) {
            double sum =
                beam->alive[i].sum + log_prob(run, sentence, &beam->alive[i], first_row + i, token);
            if (sum > best.sum && sum < last)
                best = (struct option){sum, i, token};
        }
    }
    return best;
}

// What each model says of a token, and what the device took for it, at a place of its parts.
static void compare_parts(struct check *check, const struct run *run, uint32_t step, uint32_t place,
                          struct option option, uint32_t row) {
    struct matrix *found = matrix_new(check->arena, 1, NUM_MODELS);
    struct matrix *expected = matrix_like(check->arena, found);
    for (uint32_t i = 0; i < NUM_MODELS; i++) {
        float part;
        memcpy(&part, &run->parts[step][i][place], sizeof part);
        AT(found, 0, i) = (double)part;
        AT(expected, 0, i) =
            AT(run->logits[step][i], row, option.token) - AT(run->log_sums[step][i], row, 0);
    }
    check_compare(check, CHECK_FORWARD, "parts", found, expected);
}

// One step of a sentence, and what the device did: words. False when two sums are so near to each
// other that float32 may take either first: nothing is known of what follows.
static bool compare_sentence(struct check *check, const struct run *run, uint32_t sentence,
                             uint32_t first_row, const uint32_t *words, struct beam *beam) {
    const struct search_case *c = run->c;
    struct matrix *found = matrix_new(check->arena, 1, MAX_EVENTS);
    struct matrix *expected = matrix_like(check->arena, found);
    bool shrinks = c->rule == BEAM_RULE_MARIAN;
    uint32_t wanted = shrinks ? c->k - beam->num_ended : c->k, num_events = 0;
    struct beam next = {.num_ended = beam->num_ended};
    double last = HUGE_VAL;
    for (uint32_t rank = 0; (shrinks ? rank : next.num_alive) < wanted; rank++) {
        struct option option = next_option(run, sentence, beam, first_row, last);
        if (option.sum == -HUGE_VAL)
            break;
        if (option.sum - next_option(run, sentence, beam, first_row, option.sum).sum < UNDECIDED)
            return false;
        last = option.sum;
        if (option.token == c->eos && rank >= c->k)
            continue;
        const uint32_t *event = words + EVENTS_HEAD + EVENT_WORDS * num_events;
        float sum;
        memcpy(&sum, &event[EVENT_SUM], sizeof sum);
        check_exact(check, "chosen tokens",
                    event[EVENT_TOKEN] == option.token && event[EVENT_PARENT] == option.parent);
        if (c->has_two_models)
            compare_parts(check, run, beam->alive[0].num, sentence * parts_stride(c) + num_events,
                          option, first_row + option.parent);
        AT(found, 0, num_events) = (double)sum;
        AT(expected, 0, num_events++) = option.sum;
        if (option.token == c->eos) {
            next.num_ended++;
            continue;
        }
        struct prefix *prefix = &next.alive[next.num_alive++];
        *prefix = beam->alive[option.parent];
        prefix->tokens[prefix->num++] = option.token;
        prefix->sum = option.sum;
    }
    check_exact(check, "number of chosen tokens", words[EVENTS_NUM] == num_events);
    check_compare(check, CHECK_FORWARD, "sums", found, expected);
    *beam = next;
    return true;
}

static void compare(struct check *check, const struct run *run) {
    struct beam beams[NUM_SENTENCES] = {0};
    for (uint32_t i = 0; i < NUM_SENTENCES; i++)
        beams[i].num_alive = 1;
    for (uint32_t step = 0; step < NUM_STEPS; step++) {
        uint32_t first_row = 0;
        for (uint32_t i = 0; i < NUM_SENTENCES; i++) {
            uint32_t num_rows = beams[i].num_alive;
            if (!compare_sentence(check, run, i, first_row,
                                  run->events[step] + (size_t)i * event_stride(run->c), &beams[i]))
                return;
            first_row += num_rows;
        }
    }
}

// Logits of a step by one model, and the logs of the sums of their exponentials.
static void make_logits(struct check *check, struct rng *rng, struct run *run, uint32_t step,
                        uint32_t model) {
    uint32_t rows = NUM_SENTENCES * run->c->k, vocab = run->c->vocab;
    struct matrix *logits = matrix_random(check->arena, rng, rows, vocab, 3);
    struct matrix *log_sums = matrix_new(check->arena, rows, 1);
    for (uint32_t row = 0; row < rows; row++) {
        double sum = 0;
        if (row % 2 == 0) // so that some end
            AT(logits, row, run->c->eos) = (double)(float)(AT(logits, row, run->c->eos) + 5);
        for (uint32_t token = 0; token < vocab; token++)
            sum += token == PAD ? 0 : exp(AT(logits, row, token));
        AT(log_sums, row, 0) = log(sum);
    }
    run->logits[step][model] = logits;
    run->log_sums[step][model] = log_sums;
}

enum vks_status search_case_check(struct check *check, const struct search_case *c) {
    struct harness h = {.device = check->device};
    struct rng rng = {check->seed, c->stream, 0};
    struct run run = {.c = c, .words = {2, 1, SUPPRESSED, FORCED}};
    CHECK(c->k <= MAX_K && c->no_repeat_ngram <= 1);
    memcpy(run.lengths, lengths, sizeof lengths);
    for (uint32_t i = 0; i < NUM_SENTENCES; i++) {
        uint32_t *row = run.sentences + (size_t)i * SENTENCE_WORDS;
        row[SENTENCE_MAX_STEPS] = c->forces_eos ? NUM_STEPS : MAX_STEPS;
        row[SENTENCE_PREFIX] = 3;
        row[SENTENCE_PREFIX_LENGTH] = c->has_prefix && i == 0;
        row[SENTENCE_FIRST_PLACE] = i * c->k * MAX_STEPS;
        row[SENTENCE_IS_NEW] = 1;
    }
    for (uint32_t step = 0; step < NUM_STEPS; step++) {
        for (uint32_t model = 0; model < NUM_MODELS; model++)
            make_logits(check, &rng, &run, step, model);
        for (uint32_t model = 0; model < NUM_MODELS; model++)
            run.parts[step][model] =
                ARENA_NEW(check->arena, uint32_t, NUM_SENTENCES * (size_t)parts_stride(c));
        run.events[step] =
            ARENA_NEW(check->arena, uint32_t, NUM_SENTENCES * (size_t)event_stride(c));
        CHECK(run.events[step] && run.parts[step][1]); // the arena has room
    }
    TRY(check_run(check, &h, build, &run));
    compare(check, &run);
    return VKS_OK;
}

enum vks_status search_selftest(struct check *check) {
    const struct search_case cases[] = {
        {.rule = BEAM_RULE_MARIAN, .k = 3, .vocab = 53, .repetition_penalty = 1.5f},
        {.rule = BEAM_RULE_HF,
         .k = 2,
         .vocab = 9001,
         .min_length = 2,
         .no_repeat_ngram = 1,
         .repetition_penalty = 1.0f,
         .has_prefix = true,
         .has_two_models = true},
        {.rule = BEAM_RULE_HF_EARLY,
         .k = 3,
         .vocab = 53,
         .repetition_penalty = 1.5f,
         .has_prefix = true,
         .has_given = true,
         .penalty_kind = PENALTY_OF_START},
        {.rule = BEAM_RULE_HF,
         .k = 2,
         .vocab = 53,
         .repetition_penalty = 1.5f,
         .penalty_kind = PENALTY_OF_START | PENALTY_OF_LOGITS},
        {.rule = BEAM_RULE_EXACT,
         .k = 2,
         .vocab = 53,
         .repetition_penalty = 1.0f,
         .forces_eos = true},
    };
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        struct search_case c = cases[i];
        c.stream = 70 + i;
        TRY(search_case_check(check, &c));
    }
    return VKS_OK;
}
