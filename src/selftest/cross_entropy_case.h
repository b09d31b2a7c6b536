// The output projection and its loss with random numbers, on the device and by the oracle.
#ifndef SELFTEST_CROSS_ENTROPY_CASE_H
#define SELFTEST_CROSS_ENTROPY_CASE_H

#include "ops/output.h"
#include "selftest/checks.h"

struct loss_case {
    uint32_t capacity, rows, width, vocab, pad, chunk_rows;
    float smoothing, loss_scale;
    bool has_bias, without_gradient, weighted;
    // The rest follows.
    uint32_t *labels, total; // total: the words of a float
    float *weights;          // of rows, some of them 0
    struct matrix *h, *weight, *bias, *losses;
    struct matrix *dh, *dweight, *dbias;
};

void loss_case_make(struct arena *arena, struct rng *rng, struct loss_case *c);
// A harness_build function.
void loss_case_build(struct harness *h, void *user);
// Makes the case from a stream of random numbers, runs it and compares.
enum vks_status loss_case_check(struct check *check, uint32_t stream, struct loss_case *c);

#endif
