// The weights that one head gives, and their loss against given alignments. Read by C and GLSL.
#ifndef SHADERS_ALIGNMENT_INTERFACE_H
#define SHADERS_ALIGNMENT_INTERFACE_H

#include "lib/shared.h"

#define ALIGNMENT_MAX_WIDTH 128 // of the head, in multiples of 4

// Weights: forward writes them and each query's first key; backward turns their gradient into that
// of the scores, and adds to the gradients of queries and keys.
#define ALIGNMENT_Q 1
#define ALIGNMENT_KV 2
#define ALIGNMENT_TABLE 3 // blocks: first row, rows, first counterpart, end of counterparts
#define ALIGNMENT_WEIGHTS 4
#define ALIGNMENT_FIRST_KEYS 5
#define ALIGNMENT_DWEIGHTS 6
#define ALIGNMENT_GRAD 7

// Loss.
#define ALIGNMENT_LINKS 1 // [N, S / 32] words: bit s of a row is set where it is linked with key s
#define ALIGNMENT_LOSSES 2
#define ALIGNMENT_STATE 3 // the optimiser's

#define ALIGNMENT_SPEC_QUADS 1    // head width / 4
#define ALIGNMENT_SPEC_COST 1     // of the loss
#define ALIGNMENT_SPEC_GRADIENT 2 // whether the loss or its gradient is written
#define ALIGNMENT_SPEC_SCALED 3   // the optimiser's state has a cost scale

#define ALIGNMENT_COST_CE 0
#define ALIGNMENT_COST_MSE 1
#define ALIGNMENT_COST_MULT 2

// Strides and offsets of weights are in floats, those of queries and keys in vec4.
struct alignment_push {
    SHARED_UINT rows_dim;
    SHARED_UINT max_keys; // columns of the weights
    SHARED_UINT weights_stride, links_stride;
    SHARED_UINT q_stride, q_offset;
    SHARED_UINT kv_stride, k_offset;
    SHARED_FLOAT scale; // of scores; the weight of the loss's gradient
};

#endif
