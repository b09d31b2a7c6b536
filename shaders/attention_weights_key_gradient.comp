#version 450
// dK += dS^T Q for a block of keys, with the gradient of scores, scale included, that the query
// kernel left.
#extension GL_GOOGLE_include_directive : require
#include "lib/alignment.glsl"

BIND_MATRIX(ALIGNMENT_Q, q);
BIND_READ(ALIGNMENT_TABLE, uvec4, 16, table);
BIND_READ(ALIGNMENT_FIRST_KEYS, uint, 4, first_keys);
BIND_READ(ALIGNMENT_DWEIGHTS, float, 4, dweights);
BIND_MATRIX_UPDATE(ALIGNMENT_GRAD, grad);

void main() {
    const uvec4 block = table.data[gl_WorkGroupID.x];
    if (block.z == block.w)
        return;
    const uint first_key = first_keys.data[block.z];
    for (uint row = block.x; row < block.x + block.y; row++) {
        precise vec4 acc[MAX_SLICES];
        for (uint i = 0; i < MAX_SLICES; i++)
            acc[i] = vec4(0);
        for (uint query = block.z; query < block.w; query++) {
            const float ds = dweights.data[below(query, block.w) * p.weights_stride +
                                           below(row, block.x + block.y) - first_key];
#define ADD(i)                                                                                     \
    if (i * WAVE < QUADS)                                                                          \
        acc[i] = fma(vec4(ds), LOAD4(q, query * p.q_stride + p.q_offset + SLICE_QUAD(i)), acc[i]);
            SLICES(ADD)
        }
        const uint k_base = row * p.kv_stride + p.k_offset;
#define STORE(i)                                                                                   \
    if (i * WAVE < QUADS && IN_SLICE(i))                                                           \
        STORE4(grad, k_base + SLICE_QUAD(i), LOAD4(grad, k_base + SLICE_QUAD(i)) + acc[i]);
        SLICES(STORE)
    }
}
