// Zeros before something is added up. Read by C and GLSL.
#ifndef SHADERS_CLEAR_INTERFACE_H
#define SHADERS_CLEAR_INTERFACE_H

#include "lib/shared.h"

#define CLEAR_SPEC_ACCUMULATE 1 // nothing is cleared when the kernel's mode says to add

struct clear_push {
    SHARED_UINT rows;
    SHARED_UINT quads, stride; // of a row, in vec4
};

#endif
