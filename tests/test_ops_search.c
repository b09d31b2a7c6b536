// What steps of a search are made of, against the oracle: log probabilities, constraints, which
// hypotheses go on, draws; and the probe of attention.
#include "base/check.h"
#include "ops/beam_search.h"
#include "ops/constrain.h"
#include "ops/sample.h"
#include "selftest/attention_probe_case.h"
#include "selftest/sample_case.h"
#include "selftest/search_case.h"
#include "support/gpu.h"
#include "support/variants.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void steps_match_the_oracle(void **state) {
    static const struct search_case cases[] = {
        {.rule = BEAM_RULE_MARIAN, .k = 1, .vocab = 4, .repetition_penalty = 1.0f},
        {.rule = BEAM_RULE_MARIAN, .k = 8, .vocab = 5, .repetition_penalty = 1.0f},
        {.rule = BEAM_RULE_HF, .k = 5, .vocab = 61, .repetition_penalty = 1.3f},
        {.rule = BEAM_RULE_EXACT, .k = 3, .vocab = 61, .eos = 7, .repetition_penalty = 0.7f},
        {.rule = BEAM_RULE_MARIAN,
         .k = 4,
         .vocab = 8193,
         .eos = 8192,
         .min_length = 1,
         .repetition_penalty = 1.0f,
         .has_prefix = true},
        {.rule = BEAM_RULE_MARIAN,
         .k = 4,
         .vocab = 103,
         .no_repeat_ngram = 1,
         .repetition_penalty = 1.0f,
         .has_two_models = true},
        {.rule = BEAM_RULE_HF_EARLY,
         .k = 3,
         .vocab = 53,
         .repetition_penalty = 1.5f,
         .has_prefix = true,
         .has_given = true,
         .penalty_kind = PENALTY_OF_START},
        {.rule = BEAM_RULE_HF,
         .k = 4,
         .vocab = 1031,
         .repetition_penalty = 1.7f,
         .forces_eos = true,
         .penalty_kind = PENALTY_OF_START | PENALTY_OF_LOGITS},
    };
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        struct search_case c = cases[i];
        c.stream = 200 + i;
        assert_check(search_case_check(&check, &c), &check);
    }
}

static void draws_match_the_oracle(void **state) {
    struct sample_case cases[] = {
        {.from = SAMPLE_FROM_ALL, .vocab = 4, .temperature = 1.0f},
        {.from = SAMPLE_FROM_ALL, .vocab = 5003, .temperature = 0.3f, .seed = 9},
        {.from = SAMPLE_FROM_TOP_K, .k = 1, .vocab = 61, .temperature = 1.0f},
        {.from = SAMPLE_FROM_TOP_K, .k = 100, .vocab = 61, .temperature = 1.0f},
        {.from = SAMPLE_FROM_TOP_K, .k = 10, .vocab = 5003, .temperature = 1.0f},
        {.from = SAMPLE_FROM_NUCLEUS, .mass = 0.01f, .vocab = 61, .temperature = 1.0f},
        {.from = SAMPLE_FROM_NUCLEUS, .mass = 1.0f, .vocab = 61, .temperature = 2.0f},
        {.from = SAMPLE_FROM_NUCLEUS, .mass = 0.6f, .vocab = 5003, .temperature = 1.0f},
    };
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        struct rng rng = {check.seed, 220 + i, 0};
        cases[i].rows = 37;
        cases[i].logits = matrix_random(&arena, &rng, cases[i].rows, cases[i].vocab, 3);
        assert_check(sample_case_check(&check, &cases[i]), &check);
    }
}

// Of many draws from one distribution, each token's part is its probability's.
static void draws_have_their_probabilities(void **state) {
    enum { ROWS = 4000, VOCAB = 9 };
    static const double sigmas = 5;
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    struct rng rng = {.seed = 4}; // of one fixed case: the bound is a probable one
    check.seed = 4;
    struct sample_case c = {.rows = ROWS,
                            .vocab = VOCAB,
                            .from = SAMPLE_FROM_ALL,
                            .temperature = 0.8f,
                            .logits = matrix_new(&arena, ROWS, VOCAB)};
    struct matrix *logits = matrix_random(&arena, &rng, 1, VOCAB, 2);
    for (size_t i = 0; i < ROWS * (size_t)VOCAB; i++)
        c.logits->v[i] = logits->v[i % VOCAB];
    assert_int_equal(sample_case_check(&check, &c), VKS_OK);
    uint32_t counts[VOCAB] = {0};
    double total = 0;
    for (uint32_t row = 0; row < ROWS; row++)
        counts[c.drawn[2 * row + 1]]++;
    for (uint32_t i = 0; i < VOCAB; i++)
        total += i == 1 ? 0 : exp(logits->v[i] / (double)c.temperature);
    assert_int_equal(counts[1], 0); // the pad
    for (uint32_t i = 0; i < VOCAB; i++) {
        double p = i == 1 ? 0 : exp(logits->v[i] / (double)c.temperature) / total;
        assert_true(fabs(counts[i] - ROWS * p) <= sigmas * sqrt(ROWS * p * (1 - p)));
    }
    assert_check(VKS_OK, &check);
}

static void probabilities_match_the_oracle(void **state) {
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    for (uint32_t causal = 0; causal < 2; causal++) {
        assert_check(attention_probe_case_check(&check, 4, causal, 2, 1), &check);
        assert_check(attention_probe_case_check(&check, 64, causal, 0, 3), &check);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_match_the_oracle),
        cmocka_unit_test(draws_match_the_oracle),
        cmocka_unit_test(draws_have_their_probabilities),
        cmocka_unit_test(probabilities_match_the_oracle),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
