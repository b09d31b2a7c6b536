// A linear layer with random numbers, on the device and by the oracle.
#ifndef SELFTEST_LINEAR_CASE_H
#define SELFTEST_LINEAR_CASE_H

#include "selftest/checks.h"

struct linear_shape {
    uint32_t capacity, rows, inputs, outputs;
};

struct linear_case {
    struct linear_shape shape;
    bool has_bias; // where there is an odd number of outputs
    struct matrix *x, *weight, *bias, *r;
    struct matrix *y, *dx, *dweight, *dbias;
};

void linear_case_make(struct arena *arena, struct rng *rng, const struct linear_shape *shape,
                      struct linear_case *c);
// A harness_build function.
void linear_case_build(struct harness *h, void *user);
// Makes a case from a stream of random numbers, runs it and compares.
enum vks_status linear_case_check(struct check *check, uint32_t stream,
                                  const struct linear_shape *shape);

#endif
