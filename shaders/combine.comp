#version 450
// sum = [sum +] weight (logits - log sum); a wave takes a row.
#extension GL_GOOGLE_include_directive : require
#include "combine_interface.h"
#define PUSH combine_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

layout(constant_id = COMBINE_SPEC_ADD) const uint ADDS = 0;

BIND_MATRIX(1, logits);
BIND_READ(2, float, 4, log_sums);
BIND_MATRIX_UPDATE(3, sum);

void main() {
    const uint row = gl_WorkGroupID.x, base = row * p.quads;
    const float log_sum = log_sums.data[p.first_row + row];
    for (uint quad = lane; quad < p.quads; quad += WAVE) {
        const vec4 own = p.weight * (LOAD4(logits, base + quad) - log_sum);
        precise vec4 total = ADDS != 0 ? LOAD4(sum, base + quad) + own : own;
        STORE4(sum, base + quad, total);
    }
}
