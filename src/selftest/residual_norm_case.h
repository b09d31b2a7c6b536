// Residual addition, dropout and layer normalisation with random numbers, on the device and by the
// oracle.
#ifndef SELFTEST_RESIDUAL_NORM_CASE_H
#define SELFTEST_RESIDUAL_NORM_CASE_H

#include "selftest/checks.h"

// What is added to the variance.
#define NORM_CASE_EPS 1e-5f

struct norm_case {
    uint32_t capacity, rows, width;
    bool has_residual, keeps_stream;
    float dropout;
    // The rest follows.
    struct matrix *x, *f, *gamma, *beta, *r_stream, *r;
    struct matrix *s, *y, *dx, *df, *dgamma, *dbeta;
};

void norm_case_make(struct arena *arena, struct rng *rng, struct norm_case *c);
// A harness_build function.
void norm_case_build(struct harness *h, void *user);
// Makes the case from a stream of random numbers, runs it and compares.
enum vks_status norm_case_check(struct check *check, uint32_t stream, struct norm_case *c);

#endif
