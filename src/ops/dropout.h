// Dropout as a part of other operators: a probability and a stream of random numbers.
#ifndef OPS_DROPOUT_H
#define OPS_DROPOUT_H

#include "graph/program.h"

struct dropout {
    uint32_t threshold; // random numbers under it drop; 0: no dropout
    float scale;        // of what is kept
    uint32_t stream;
};

// The threshold of a probability from 0 to under 1.
uint32_t dropout_threshold(float probability);

// probability: 0 to under 1. Takes the graph's next stream, also when the probability is 0, so
// that streams do not depend on it.
// Source: Srivastava et al. 2014, JMLR 15, section 10 (scaling while training).
struct dropout dropout_make(struct graph *graph, float probability);
// The same for dropout within a block, with num_streams streams from the first on.
struct dropout dropout_make_inner(struct graph *graph, float probability, uint32_t num_streams);

// Multiplies x with its factors, row by row; does nothing when there is no dropout.
enum vks_status dropout_record(struct recorder *recorder, const struct dropout *dropout,
                               const struct tensor *x);

#endif
