#version 450
// One row of ssru.comp for each hypothesis, as in a step of decoding: c before it is in the row of
// the cache that the hypothesis went to in the step before, and the new one goes to its place of
// this step. A wave takes a row.
#extension GL_GOOGLE_include_directive : require
#include "ssru_interface.h"
#define PUSH ssru_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

BIND_MATRIX(1, x);
BIND_MATRIX(2, f);
BIND_READ(3, uvec4, 16, ranges); // a row: -, -, -, steps so far with this one
BIND_READ(4, uint, 4, cache_rows);
BIND_READ(5, uint, 4, places);
BIND_MATRIX_UPDATE(6, cache);
BIND_MATRIX_WRITE(7, y);

void main() {
    const uint rows = header_dim(p.sequences_dim);
    for (uint row = gl_WorkGroupID.x; row < rows; row += gl_NumWorkGroups.x) {
        const uint steps = ranges.data[below(row, rows)].w;
        const uint to = places.data[below(row, rows)] * p.cache_stride;
        const uint last = max(steps, 2) - 2;
        const uint from = cache_rows.data[below(row, rows) * p.rows_stride + last] * p.cache_stride;
        for (uint quad = lane; quad < p.quads; quad += WAVE) {
            const uint idx = row * p.stride + quad;
            const vec4 gate = 1.0 / (1.0 + exp(-LOAD4(f, idx)));
            const vec4 value = LOAD4(x, idx);
            const vec4 before = steps > 1 ? LOAD4(cache, from + quad) : vec4(0);
            const vec4 cell = fma(gate, before - value, value);
            if (steps > 0) // an idle row has no place
                STORE4(cache, to + quad, cell);
            STORE4(y, idx, max(cell, vec4(0)));
        }
    }
}
