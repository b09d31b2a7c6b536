// Dropout as a part of other operators: a probability and a stream of random numbers.
#ifndef OPS_DROPOUT_H
#define OPS_DROPOUT_H

#include "graph/graph.h"

struct dropout {
    uint32_t threshold; // random numbers under it drop; 0: no dropout
    float scale;        // of what is kept
    uint32_t stream;
};

static inline uint32_t dropout_threshold(float probability) {
    return (uint32_t)((double)probability * 0x1p32);
}

// probability: 0 to under 1. Takes the graph's next stream, also when the probability is 0, so
// that streams do not depend on it.
// Source: Srivastava et al. 2014, JMLR 15, section 10 (scaling while training).
static inline struct dropout dropout_make(struct graph *graph, float probability) {
    return (struct dropout){
        .threshold = dropout_threshold(probability),
        .scale = 1.0f / (1.0f - probability),
        .stream = graph_next_dropout(graph),
    };
}

#endif
