#version 450
// Of a stretch of a row of logits: the highest, the sum of exp(logit - highest), and the k best
// symbols, best first, lower ids first among equals. The pad takes no part.
#extension GL_GOOGLE_include_directive : require
#include "top_k_interface.h"
#define PUSH top_k_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

BIND_MATRIX(1, logits);
BIND_WRITE(2, uint, 4, best);

const float LOWEST = -3.0e38;

void main() {
    const uint row = gl_WorkGroupID.x, base = row * p.stride;
    const uint first = gl_WorkGroupID.y * TOP_K_STRETCH;
    const uint end = min(first + TOP_K_STRETCH, p.vocab);
    const uint out_base =
        (p.first_row + row) * p.out_stride + gl_WorkGroupID.y * (TOP_K_HEAD + 2 * p.k);
    float last_value = 1.0 / 0.0;
    uint last_id = 0;
    for (uint i = 0; i < p.k; i++) {
        float value = LOWEST;
        uint id = 0xffffffffu;
        for (uint quad = first / 4 + lane; 4 * quad < end; quad += WAVE) {
            const vec4 z = LOAD4(logits, base + quad);
            for (uint c = 0; c < 4; c++) {
                const uint column = 4 * quad + c;
                const float zc = c == 0 ? z.x : c == 1 ? z.y : c == 2 ? z.z : z.w;
                const bool later = zc < last_value || (zc == last_value && column > last_id);
                if (later && zc > value && column < end && column != p.pad) {
                    value = zc;
                    id = column;
                }
            }
        }
        last_value = wave_max(value);
        last_id = wave_min(value == last_value ? id : 0xffffffffu);
        if (lane == 0) {
            best.data[out_base + TOP_K_HEAD + 2 * i] = floatBitsToUint(last_value);
            best.data[out_base + TOP_K_HEAD + 2 * i + 1] = last_id;
        }
        if (i == 0) {
            float sum = 0.0;
            for (uint quad = first / 4 + lane; 4 * quad < end; quad += WAVE) {
                const uvec4 column = uvec4(4 * quad) + uvec4(0, 1, 2, 3);
                const vec4 e = exp(LOAD4(logits, base + quad) - last_value);
                const bvec4 inside = lessThan(column, uvec4(end));
                const bvec4 other = notEqual(column, uvec4(p.pad));
                sum += (inside.x && other.x ? e.x : 0.0) + (inside.y && other.y ? e.y : 0.0) +
                       (inside.z && other.z ? e.z : 0.0) + (inside.w && other.w ? e.w : 0.0);
            }
            const float total = wave_sum(sum);
            if (lane == 0) {
                best.data[out_base] = floatBitsToUint(last_value);
                best.data[out_base + 1] = floatBitsToUint(total);
            }
        }
    }
}
