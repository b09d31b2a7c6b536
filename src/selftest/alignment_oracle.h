// One head's attention weights and their loss against links, in double precision, from the
// equations (see oracle.h).
#ifndef SELFTEST_ALIGNMENT_ORACLE_H
#define SELFTEST_ALIGNMENT_ORACLE_H

#include "selftest/oracle.h"

// Column i of a query's row is the weight of the i-th key of its sequence. attention: not causal,
// and without dropout.
void oracle_attention_weights(const struct oracle_attention *attention, uint32_t head,
                              struct matrix *weights);
// The weights' gradient, and those of queries and keys that follow.
struct oracle_weights_gradient {
    const struct matrix *weights, *dweights;
    struct matrix *q, *kv;
};
void oracle_attention_weights_gradient(const struct oracle_attention *attention, uint32_t head,
                                       const struct oracle_weights_gradient *gradient);

// The loss of each row, and the gradient of weight times the sum.
struct oracle_alignment {
    const struct matrix *weights;
    const struct matrix *links; // 1 where row and column are linked, else 0
    enum { ORACLE_ALIGNMENT_CE, ORACLE_ALIGNMENT_MSE, ORACLE_ALIGNMENT_MULT } cost;
    double weight;
};
void oracle_alignment(const struct oracle_alignment *alignment, struct matrix *losses);
void oracle_alignment_gradient(const struct oracle_alignment *alignment, struct matrix *dweights);

#endif
