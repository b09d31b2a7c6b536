#version 450
// The k best symbols of a stretch of a row of logits, best first, lower ids first among equals. The
// pad takes no part.
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
    const uint out_base = (p.first_row + row) * p.out_stride + gl_WorkGroupID.y * 2 * p.k;
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
            best.data[out_base + 2 * i] = floatBitsToUint(last_value);
            best.data[out_base + 2 * i + 1] = last_id;
        }
    }
}
