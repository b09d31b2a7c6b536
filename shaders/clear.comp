#version 450
// Zeros the rows of a matrix, unless they are to be added to. A wave takes a row.
#extension GL_GOOGLE_include_directive : require
#include "clear_interface.h"
#define PUSH clear_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

layout(constant_id = CLEAR_SPEC_ACCUMULATE) const uint ACCUMULATE = ACCUMULATE_NO;

BIND_MATRIX_WRITE(1, x);

void main() {
    if (accumulates(ACCUMULATE))
        return;
    for (uint row = gl_WorkGroupID.x; row < p.rows; row += gl_NumWorkGroups.x)
        for (uint quad = lane; quad < p.quads; quad += WAVE)
            STORE4(x, row * p.stride + quad, vec4(0));
}
