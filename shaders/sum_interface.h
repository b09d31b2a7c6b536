// The sum of a column of numbers. Read by C and GLSL.
#ifndef SHADERS_SUM_INTERFACE_H
#define SHADERS_SUM_INTERFACE_H

#include "lib/shared.h"

struct sum_push {
    SHARED_UINT rows_dim;
};

#endif
