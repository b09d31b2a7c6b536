// Label-smoothed softmax cross-entropy. Read by C and GLSL.
#ifndef SHADERS_CROSS_ENTROPY_INTERFACE_H
#define SHADERS_CROSS_ENTROPY_INTERFACE_H

#include "lib/shared.h"

#define CROSS_ENTROPY_SPEC_GRADIENT 1
#define CROSS_ENTROPY_SPEC_WEIGHTED 2 // each row has a weight
#define CROSS_ENTROPY_SPEC_SCALED 3   // the optimiser's state has a cost scale

#define CROSS_ENTROPY_NO_PAD 0xffffffffu

struct cross_entropy_push {
    SHARED_UINT rows_dim, first_row; // rows of the logits, and where they lie in labels and losses
    SHARED_UINT vocab, stride;       // stride in vec4
    SHARED_UINT pad;                 // never predicted: outside the softmax
    SHARED_FLOAT smoothing;
};

#endif
