// s = x + dropout(f), y = layer norm of s. Read by C and GLSL.
#ifndef SHADERS_RESIDUAL_NORM_INTERFACE_H
#define SHADERS_RESIDUAL_NORM_INTERFACE_H

#include "lib/shared.h"

#define NORM_SPEC_RESIDUAL 1   // 0: s is x itself
#define NORM_SPEC_ACCUMULATE 2 // of dx, or of the parameters' gradients
#define NORM_SPEC_STREAM 3     // whether a gradient of s flows in
#define NORM_SPEC_DROPPED 4    // whether df is written (it differs from dx)

// Rows whose gradients of gamma and beta are summed by one workgroup.
#define NORM_CHUNK_ROWS 32

struct norm_push {
    SHARED_UINT rows_dim, chunks_dim;
    SHARED_UINT quads;  // width / 4
    SHARED_UINT stride; // in vec4, of every operand
    SHARED_FLOAT eps;
    SHARED_UINT dropout_threshold;
    SHARED_FLOAT dropout_scale;
    SHARED_UINT dropout_stream;
};

#endif
