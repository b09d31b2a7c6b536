// Two steps of a search from given logits, on the device and on the host: log probabilities of one
// model or two, constraints, the best tokens, and which hypotheses go on.
#ifndef SELFTEST_SEARCH_CASE_H
#define SELFTEST_SEARCH_CASE_H

#include "selftest/checks.h"

struct search_case {
    uint32_t rule, k, vocab, eos; // BEAM_RULE_...
    uint32_t min_length, no_repeat_ngram;
    float repetition_penalty; // 1: none
    bool has_prefix;          // the first sentence forces its first token
    bool has_given;           // at no cost
    bool forces_eos;          // the last token is </s>, at no cost
    uint32_t penalty_kind;    // PENALTY_OF_..., of one model
    bool has_two_models;      // k is even then
    uint32_t stream;          // of random numbers
};

// Makes up logits, runs and compares.
enum vks_status search_case_check(struct check *check, const struct search_case *c);

#endif
