// The best symbols of every row of logits. Read by C and GLSL.
#ifndef SHADERS_TOP_K_INTERFACE_H
#define SHADERS_TOP_K_INTERFACE_H

#include "lib/shared.h"

// Columns one workgroup looks through; a vocabulary takes as many stretches as it needs.
#define TOP_K_STRETCH 8192

struct top_k_push {
    SHARED_UINT first_row;     // of the results, for the first row of logits
    SHARED_UINT vocab, stride; // stride in vec4
    SHARED_UINT pad;           // never chosen
    SHARED_UINT k;
    SHARED_UINT out_stride;    // words a row
};

#endif
