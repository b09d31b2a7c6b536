#version 450
// Sums of squares of blocks of a window of the gradients; a wave takes a block.
#extension GL_GOOGLE_include_directive : require
#include "optimizer_interface.h"
#define PUSH norm_window_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

BIND_MATRIX(1, gradient);
BIND_WRITE(2, float, 4, parts);

void main() {
    const uint quads = header_dim(p.quads_dim), first = gl_WorkGroupID.x * NORM_BLOCK_QUADS;
    vec4 sum = vec4(0);
    for (uint quad = first + lane; quad < min(first + NORM_BLOCK_QUADS, quads); quad += WAVE)
        sum = fma(LOAD4(gradient, quad), LOAD4(gradient, quad), sum);
    const float total = wave_sum(sum.x + sum.y + sum.z + sum.w);
    if (lane == 0)
        parts.data[p.first_part + gl_WorkGroupID.x] = total;
}
