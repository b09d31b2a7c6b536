#version 450
// Sums of dy * normed and of dy over a chunk of rows: parts of the gradients of gamma and beta.
// A lane takes four columns.
#extension GL_GOOGLE_include_directive : require
#include "residual_norm_interface.h"
#define PUSH norm_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

BIND_MATRIX(1, dy);
BIND_MATRIX(2, s);
BIND_READ(3, vec2, 8, stats);
BIND_MATRIX_WRITE(4, parts);

void main() {
    const uint rows = header_dim(p.rows_dim), first = gl_WorkGroupID.x * NORM_CHUNK_ROWS;
    const uint quad = gl_WorkGroupID.y * WAVE + lane;
    if (quad >= p.quads)
        return;
    vec4 dgamma = vec4(0), dbeta = vec4(0);
    for (uint row = first; row < min(first + NORM_CHUNK_ROWS, rows); row++) {
        const vec2 stat = stats.data[below(row, rows)];
        const vec4 g = LOAD4(dy, row * p.stride + quad);
        dgamma += g * (LOAD4(s, row * p.stride + quad) - stat.x) * stat.y;
        dbeta += g;
    }
    STORE4(parts, (2 * gl_WorkGroupID.x) * p.stride + quad, dgamma);
    STORE4(parts, (2 * gl_WorkGroupID.x + 1) * p.stride + quad, dbeta);
}
