// Rows copied to given places. Read by C and GLSL.
#ifndef SHADERS_SCATTER_ROWS_INTERFACE_H
#define SHADERS_SCATTER_ROWS_INTERFACE_H

#include "lib/shared.h"

// Strides and offsets are in vec4.
struct scatter_rows_push {
    SHARED_UINT rows_dim;
    SHARED_UINT quads; // copied of a row
    SHARED_UINT from_stride, from_offset;
    SHARED_UINT to_stride;
    SHARED_UINT num_places; // rows of `to`
};

#endif
