#version 450
// x = x * dropout's factors, in place; a wave takes a row.
#extension GL_GOOGLE_include_directive : require
#include "dropout_interface.h"
#define PUSH dropout_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"
#include "lib/dropout.glsl"

BIND_MATRIX_UPDATE(1, x);

void main() {
    const uint rows = header_dim(p.rows_dim);
    for (uint row = gl_WorkGroupID.x; row < rows; row += gl_NumWorkGroups.x) {
        for (uint quad = lane; quad < p.quads; quad += WAVE) {
            const uint idx = row * p.stride + quad;
            STORE4(x, idx,
                   LOAD4(x, idx) * dropout_factors(p.dropout_threshold, p.dropout_scale,
                                                   p.dropout_stream, row, quad));
        }
    }
}
