#version 450
// s = x + dropout(f); a wave takes a row.
#extension GL_GOOGLE_include_directive : require
#include "residual_interface.h"
#define PUSH residual_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"
#include "lib/dropout.glsl"

BIND_MATRIX(1, x);
BIND_MATRIX(2, f);
BIND_MATRIX_WRITE(3, s);

void main() {
    const uint rows = header_dim(p.rows_dim);
    for (uint row = gl_WorkGroupID.x; row < rows; row += gl_NumWorkGroups.x)
        for (uint quad = lane; quad < p.quads; quad += WAVE) {
            const uint idx = row * p.stride + quad;
            STORE4(s, idx,
                   LOAD4(x, idx) + LOAD4(f, idx) * dropout_factors(p.dropout_threshold,
                                                                   p.dropout_scale,
                                                                   p.dropout_stream, row, quad));
        }
}
