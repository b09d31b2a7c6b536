// Residual addition with random numbers, on the device and by the oracle.
#ifndef SELFTEST_RESIDUAL_CASE_H
#define SELFTEST_RESIDUAL_CASE_H

#include "selftest/checks.h"

struct residual_case {
    uint32_t capacity, rows, width;
    float dropout;
    bool same_input; // f is x, so that their gradients add up
};

// Makes the case from a stream of random numbers, runs it and compares.
enum vks_status residual_case_check(struct check *check, uint32_t stream,
                                    const struct residual_case *c);

#endif
