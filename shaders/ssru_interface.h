// Simpler simple recurrent units over packed sequences, and one step of them. Read by C and GLSL.
#ifndef SHADERS_SSRU_INTERFACE_H
#define SHADERS_SSRU_INTERFACE_H

#include "lib/shared.h"

#define SSRU_SPEC_ACCUMULATE_X 1 // of dx and df
#define SSRU_SPEC_ACCUMULATE_F 2

// Strides are in vec4.
struct ssru_push {
    SHARED_UINT sequences_dim; // of a step: rows
    SHARED_UINT quads;         // width / 4
    SHARED_UINT stride;        // of every operand but the cache
    SHARED_UINT cache_stride;
    SHARED_UINT rows_stride; // of the table of cache rows, in words
};

#endif
