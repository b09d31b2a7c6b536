// Simpler simple recurrent units in double precision.
#ifndef SELFTEST_SSRU_ORACLE_H
#define SELFTEST_SSRU_ORACLE_H

#include "selftest/oracle.h"

// Sequence i is rows offsets[i] .. offsets[i + 1] - 1.
struct oracle_ssru {
    const struct matrix *x, *f;
    uint32_t num_sequences;
    const uint32_t *offsets;
};

// c[t] = g c[t - 1] + (1 - g) x[t], g = sigmoid(f[t]), y = max(c, 0).
void oracle_ssru(const struct oracle_ssru *ssru, struct matrix *c, struct matrix *y);

// c: of oracle_ssru. Adds to dx and df.
void oracle_ssru_gradient(const struct oracle_ssru *ssru, const struct matrix *c,
                          const struct matrix *dy, struct matrix *dx, struct matrix *df);

#endif
