// Simpler simple recurrent units with random numbers, on the device and by the oracle.
#ifndef SELFTEST_SSRU_CASE_H
#define SELFTEST_SSRU_CASE_H

#include "selftest/checks.h"

struct ssru_case {
    uint32_t capacity, width;
    uint32_t num_sequences;
    const uint32_t *offsets; // [num_sequences + 1], from 0 on
    bool same_input;         // f is x, so that their gradients add up
    // The rest follows.
    struct matrix *x, *f, *r;
    struct matrix *y, *dx, *df;
    uint32_t *ends; // [num_sequences][2]
};

void ssru_case_make(struct arena *arena, struct rng *rng, struct ssru_case *c);
// A harness_build function.
void ssru_case_build(struct harness *h, void *user);
// Makes the case from a stream of random numbers, runs it and compares.
enum vks_status ssru_case_check(struct check *check, uint32_t stream, struct ssru_case *c);

// Steps of several hypotheses, of which one has no step before it and one is idle.
enum vks_status ssru_step_case_check(struct check *check, uint32_t width);

#endif
