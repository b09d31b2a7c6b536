#version 450
// c[t] = g c[t - 1] + (1 - g) x[t], g = sigmoid(f[t]), y[t] = max(c[t], 0) over the rows of each
// sequence, c before the first being 0. A lane takes four columns of a sequence.
// Source: Kim et al. 2019, D19-5632, section 3.1.
#extension GL_GOOGLE_include_directive : require
#include "ssru_interface.h"
#define PUSH ssru_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

BIND_MATRIX(1, x);
BIND_MATRIX(2, f);
BIND_READ(3, uvec2, 8, sequences); // first row, end of rows
BIND_MATRIX_WRITE(4, c);
BIND_MATRIX_WRITE(5, y);

void main() {
    const uint num_sequences = header_dim(p.sequences_dim);
    const uint quad = gl_WorkGroupID.y * WAVE + lane;
    if (quad >= p.quads)
        return;
    for (uint i = gl_WorkGroupID.x; i < num_sequences; i += gl_NumWorkGroups.x) {
        const uvec2 rows = sequences.data[below(i, num_sequences)];
        vec4 cell = vec4(0);
        for (uint row = rows.x; row < rows.y; row++) {
            const uint idx = row * p.stride + quad;
            const vec4 gate = 1.0 / (1.0 + exp(-LOAD4(f, idx)));
            const vec4 value = LOAD4(x, idx);
            cell = fma(gate, cell - value, value);
            STORE4(c, idx, cell);
            STORE4(y, idx, max(cell, vec4(0)));
        }
    }
}
