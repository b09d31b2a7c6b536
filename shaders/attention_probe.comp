#version 450
// softmax(scale Q K^T), the mean over some heads: column j of a row is the j-th key that it may
// see. A wave takes a row of a block.
// Source: Vaswani et al. 2017, arXiv:1706.03762, eq. 1.
#extension GL_GOOGLE_include_directive : require
#include "attention_probe_interface.h"
#define PUSH attention_probe_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

layout(constant_id = ATTENTION_PROBE_SPEC_CAUSAL) const uint CAUSAL = 0;
layout(constant_id = ATTENTION_PROBE_SPEC_QUADS) const uint QUADS = 16;

BIND_MATRIX(1, q);
BIND_MATRIX(2, kv);
BIND_READ(3, uvec4, 16, table); // blocks: first row, rows, first key, end of keys
BIND_UPDATE(4, float, 4, maps);

const float LOWEST = -3.0e38;

float score(uint row, uint key, uint head) {
    precise float sum = 0.0;
    for (uint quad = 0; quad < QUADS; quad++) {
        const vec4 a = LOAD4(q, row * p.q_stride + p.q_offset + head * QUADS + quad);
        const vec4 b = LOAD4(kv, key * p.kv_stride + p.k_offset + head * QUADS + quad);
        sum = fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, sum))));
    }
    return sum * p.scale;
}

void main() {
    const uvec4 block = table.data[gl_WorkGroupID.x];
    if (gl_WorkGroupID.y >= block.y)
        return;
    const uint row = block.x + gl_WorkGroupID.y;
    const uint end = CAUSAL != 0 ? min(block.w, row + 1) : block.w;
    const uint base = row * p.map_stride - block.z;
    for (uint column = lane; column < p.map_stride; column += WAVE)
        maps.data[row * p.map_stride + column] = 0.0;
    const uint end_head = p.first_head + p.num_heads;
    for (uint head = p.first_head; head < end_head; head++) {
        float highest = LOWEST, sum = 0.0;
        for (uint key = block.z + lane; key < end; key += WAVE) {
            const float s = score(row, key, below(head, end_head)), higher = max(highest, s);
            sum = sum * exp(highest - higher) + exp(s - higher);
            highest = higher;
        }
        const float row_max = wave_max(highest);
        const float total = wave_sum(sum * exp(highest - row_max));
        for (uint key = block.z + lane; key < end; key += WAVE)
            maps.data[base + key] += exp(score(row, key, below(head, end_head)) - row_max) /
                                     (total * float(p.num_heads));
    }
}
