#version 450
// to = from, with elements of another type; a wave takes a row.
#extension GL_GOOGLE_include_directive : require
#include "convert_interface.h"
#define PUSH convert_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

BIND_MATRIX(CONVERT_FROM, from);
BIND_MATRIX_WRITE(CONVERT_TO, to);

void main() {
    const uint all = header_dim(p.rows_dim);
    const uint rows = all > p.first_row ? min(all - p.first_row, p.num_rows) : 0;
    for (uint row = gl_WorkGroupID.x; row < rows; row += gl_NumWorkGroups.x)
        for (uint quad = lane; quad < p.quads; quad += WAVE)
            STORE4(to, row * p.stride + quad, LOAD4(from, row * p.stride + quad));
}
