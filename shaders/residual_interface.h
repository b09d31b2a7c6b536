// s = x + dropout(f). Read by C and GLSL.
#ifndef SHADERS_RESIDUAL_INTERFACE_H
#define SHADERS_RESIDUAL_INTERFACE_H

#include "lib/shared.h"

#define RESIDUAL_SPEC_ACCUMULATE_X 1 // of dx and df
#define RESIDUAL_SPEC_ACCUMULATE_F 2

struct residual_push {
    SHARED_UINT rows_dim;
    SHARED_UINT quads, stride; // of a row, in vec4
    SHARED_UINT dropout_threshold;
    SHARED_FLOAT dropout_scale;
    SHARED_UINT dropout_stream;
};

#endif
