#version 450
// The gradient of s is that of x, and under dropout's mask that of f. A wave takes a row.
#extension GL_GOOGLE_include_directive : require
#include "residual_interface.h"
#define PUSH residual_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"
#include "lib/dropout.glsl"

layout(constant_id = RESIDUAL_SPEC_ACCUMULATE_X) const uint ACCUMULATE_X = ACCUMULATE_NO;
layout(constant_id = RESIDUAL_SPEC_ACCUMULATE_F) const uint ACCUMULATE_F = ACCUMULATE_NO;

BIND_MATRIX(1, ds);
BIND_MATRIX_UPDATE(2, dx);
BIND_MATRIX_UPDATE(3, df);

void main() {
    const uint rows = header_dim(p.rows_dim);
    for (uint row = gl_WorkGroupID.x; row < rows; row += gl_NumWorkGroups.x)
        for (uint quad = lane; quad < p.quads; quad += WAVE) {
            const uint idx = row * p.stride + quad;
            const vec4 gradient = LOAD4(ds, idx);
            const vec4 dropped = gradient * dropout_factors(p.dropout_threshold, p.dropout_scale,
                                                            p.dropout_stream, row, quad);
            STORE4(dx, idx, accumulates(ACCUMULATE_X) ? LOAD4(dx, idx) + gradient : gradient);
            STORE4(df, idx, accumulates(ACCUMULATE_F) ? LOAD4(df, idx) + dropped : dropped);
        }
}
