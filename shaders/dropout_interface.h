// x = x * dropout's factors. Read by C and GLSL.
#ifndef SHADERS_DROPOUT_INTERFACE_H
#define SHADERS_DROPOUT_INTERFACE_H

#include "lib/shared.h"

struct dropout_push {
    SHARED_UINT rows_dim;
    SHARED_UINT quads, stride; // of a row, in vec4
    SHARED_UINT dropout_threshold;
    SHARED_FLOAT dropout_scale;
    SHARED_UINT dropout_stream;
};

#endif
