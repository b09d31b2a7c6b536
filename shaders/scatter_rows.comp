#version 450
// to[place[row]] = columns of from[row], if there is that place; a wave takes a row.
#extension GL_GOOGLE_include_directive : require
#include "scatter_rows_interface.h"
#define PUSH scatter_rows_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

BIND_MATRIX(1, from);
BIND_READ(2, uint, 4, places);
BIND_MATRIX_WRITE(3, to);

void main() {
    const uint rows = header_dim(p.rows_dim);
    for (uint row = gl_WorkGroupID.x; row < rows; row += gl_NumWorkGroups.x) {
        const uint place = places.data[below(row, rows)];
        for (uint quad = lane; quad < p.quads && place < p.num_places; quad += WAVE)
            STORE4(to, place * p.to_stride + quad,
                   LOAD4(from, row * p.from_stride + p.from_offset + quad));
    }
}
