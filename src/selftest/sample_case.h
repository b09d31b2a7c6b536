// Tokens drawn from given logits, on the device and by the oracle.
#ifndef SELFTEST_SAMPLE_CASE_H
#define SELFTEST_SAMPLE_CASE_H

#include "selftest/checks.h"

struct sample_case {
    uint32_t rows, vocab;
    uint32_t from, k; // SAMPLE_FROM_...
    float mass, temperature;
    uint32_t seed;
    struct matrix *logits; // [rows, vocab]
    uint32_t *drawn;       // [rows, 2]: logit and token
};

// Runs a case of given logits, and compares each token with the one that has the greatest noisy
// logit among those that may be drawn.
enum vks_status sample_case_check(struct check *check, struct sample_case *c);

#endif
