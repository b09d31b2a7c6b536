#version 450
// softmax(scale Q K^T) of one head for a block of queries, as a matrix.
#extension GL_GOOGLE_include_directive : require
#include "lib/alignment.glsl"

BIND_MATRIX(ALIGNMENT_Q, q);
BIND_MATRIX(ALIGNMENT_KV, kv);
BIND_READ(ALIGNMENT_TABLE, uvec4, 16, table);
BIND_UPDATE(ALIGNMENT_WEIGHTS, float, 4, weights);
BIND_WRITE(ALIGNMENT_FIRST_KEYS, uint, 4, first_keys);

const float LOWEST = -3.0e38;

void main() {
    const uvec4 block = table.data[gl_WorkGroupID.x];
    const uint num_keys = block.w - block.z;
    for (uint row = block.x; row < block.x + block.y; row++) {
        const uint q_base = below(row, block.x + block.y) * p.q_stride + p.q_offset;
        const uint w_base = row * p.weights_stride;
        float highest = LOWEST;
        for (uint key = lane; key < num_keys; key += WAVE) {
            const uint k_base = (block.z + key) * p.kv_stride + p.k_offset;
            precise float score = 0.0;
            for (uint quad = 0; quad < QUADS; quad++) {
                const vec4 a = LOAD4(q, q_base + quad), b = LOAD4(kv, k_base + quad);
                score = fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, score))));
            }
            weights.data[w_base + key] = score * p.scale;
            highest = max(highest, score * p.scale);
        }
        highest = wave_max(highest);
        precise float part = 0.0;
        for (uint key = lane; key < num_keys; key += WAVE) {
            const float weight = exp(weights.data[w_base + key] - highest);
            weights.data[w_base + key] = weight;
            part += weight;
        }
        const float total = wave_sum(part);
        for (uint key = lane; key < p.weights_stride; key += WAVE)
            weights.data[w_base + key] = key < num_keys ? weights.data[w_base + key] / total : 0.0;
        if (lane == 0)
            first_keys.data[row] = block.z;
    }
}
