// A matrix with elements of another type. Read by C and GLSL.
#ifndef SHADERS_CONVERT_INTERFACE_H
#define SHADERS_CONVERT_INTERFACE_H

#include "lib/shared.h"

#define CONVERT_FROM 1
#define CONVERT_TO 2

struct convert_push {
    SHARED_UINT rows_dim;
    SHARED_UINT first_row, num_rows; // of what is bound
    SHARED_UINT quads, stride;       // of a row, in vec4
};

#endif
