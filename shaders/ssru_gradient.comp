#version 450
// The gradients of x and f, from the last row of each sequence to the first. A lane takes four
// columns of a sequence.
#extension GL_GOOGLE_include_directive : require
#include "ssru_interface.h"
#define PUSH ssru_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

layout(constant_id = SSRU_SPEC_ACCUMULATE_X) const uint ACCUMULATE_X = ACCUMULATE_NO;
layout(constant_id = SSRU_SPEC_ACCUMULATE_F) const uint ACCUMULATE_F = ACCUMULATE_NO;

BIND_MATRIX(1, x);
BIND_MATRIX(2, f);
BIND_READ(3, uvec2, 8, sequences);
BIND_MATRIX(4, c);
BIND_MATRIX(5, dy);
BIND_MATRIX_UPDATE(6, dx);
BIND_MATRIX_UPDATE(7, df);

void main() {
    const uint num_sequences = header_dim(p.sequences_dim);
    const uint quad = gl_WorkGroupID.y * WAVE + lane;
    if (quad >= p.quads)
        return;
    for (uint i = gl_WorkGroupID.x; i < num_sequences; i += gl_NumWorkGroups.x) {
        const uvec2 rows = sequences.data[below(i, num_sequences)];
        vec4 carried = vec4(0); // the gradient of c[row] by way of later rows
        for (uint num = rows.y - rows.x; num > 0; num--) {
            const uint row = rows.x + num - 1, idx = row * p.stride + quad;
            const vec4 gate = 1.0 / (1.0 + exp(-LOAD4(f, idx)));
            const vec4 before = num > 1 ? LOAD4(c, idx - p.stride) : vec4(0);
            const vec4 dcell =
                carried + mix(vec4(0), LOAD4(dy, idx), greaterThan(LOAD4(c, idx), vec4(0)));
            const vec4 x_gradient = dcell * (1.0 - gate);
            const vec4 f_gradient = x_gradient * gate * (before - LOAD4(x, idx));
            carried = dcell * gate;
            STORE4(dx, idx, accumulates(ACCUMULATE_X) ? LOAD4(dx, idx) + x_gradient : x_gradient);
            STORE4(df, idx, accumulates(ACCUMULATE_F) ? LOAD4(df, idx) + f_gradient : f_gradient);
        }
    }
}
