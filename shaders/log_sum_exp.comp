#version 450
// log(sum(exp(logit))) over a row of logits without the pad; a wave takes a row.
#extension GL_GOOGLE_include_directive : require
#include "log_sum_exp_interface.h"
#define PUSH log_sum_exp_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

BIND_MATRIX(1, logits);
BIND_WRITE(2, float, 4, log_sums);

const float LOWEST = -3.0e38;

void main() {
    const uint row = gl_WorkGroupID.x, base = row * p.stride;
    vec4 highest = vec4(LOWEST), exps = vec4(0);
    for (uint quad = lane; 4 * quad < p.vocab; quad += WAVE) {
        const uvec4 column = uvec4(4 * quad) + uvec4(0, 1, 2, 3);
        const bvec4 inside = lessThan(column, uvec4(p.vocab));
        const bvec4 other = notEqual(column, uvec4(p.pad));
        const bvec4 counts = bvec4(inside.x && other.x, inside.y && other.y, inside.z && other.z,
                                   inside.w && other.w);
        const vec4 z = mix(vec4(LOWEST), LOAD4(logits, base + quad), counts);
        const vec4 higher = max(highest, z);
        exps = exps * exp(highest - higher) + mix(vec4(0), exp(z - higher), counts);
        highest = higher;
    }
    const float row_max = wave_max(max(max(highest.x, highest.y), max(highest.z, highest.w)));
    const vec4 scaled = exps * exp(highest - row_max);
    const float total = wave_sum(scaled.x + scaled.y + scaled.z + scaled.w);
    if (lane == 0)
        log_sums.data[p.first_row + row] = row_max + log(total);
}
