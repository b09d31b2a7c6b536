// Log probabilities of several models as one. Read by C and GLSL.
#ifndef SHADERS_COMBINE_INTERFACE_H
#define SHADERS_COMBINE_INTERFACE_H

#include "lib/shared.h"

#define COMBINE_SPEC_ADD 1 // to what is there

struct combine_push {
    SHARED_UINT first_row; // of the log sums, for the first row of logits
    SHARED_UINT quads;     // vec4 a row
    SHARED_FLOAT weight;
};

#endif
