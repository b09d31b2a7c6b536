#version 450
// From a gradient of weights that of the scores, dS = P * (dP - rowsum(P * dP)), in place, and
// dQ += scale dS K for a block of queries.
#extension GL_GOOGLE_include_directive : require
#include "lib/alignment.glsl"

BIND_MATRIX(ALIGNMENT_KV, kv);
BIND_READ(ALIGNMENT_TABLE, uvec4, 16, table);
BIND_READ(ALIGNMENT_WEIGHTS, float, 4, weights);
BIND_UPDATE(ALIGNMENT_DWEIGHTS, float, 4, dweights);
BIND_MATRIX_UPDATE(ALIGNMENT_GRAD, grad);

STAGE_SHARED(ds_stage, 1)

void main() {
    STAGE_LOCAL(ds_stage, 1);
    const uvec4 block = table.data[gl_WorkGroupID.x];
    const uint num_keys = block.w - block.z;
    for (uint row = block.x; row < block.x + block.y; row++) {
        const uint w_base = row * p.weights_stride;
        precise vec4 acc[MAX_SLICES];
        for (uint i = 0; i < MAX_SLICES; i++)
            acc[i] = vec4(0);
        precise float part = 0.0;
        for (uint key = lane; key < num_keys; key += WAVE)
            part = fma(weights.data[w_base + key], dweights.data[w_base + key], part);
        const float mean = wave_sum(part);
        for (uint key0 = 0; key0 < num_keys; key0 += WAVE) {
            const uint own = w_base + key0 + lane;
            float ds = 0.0;
            if (key0 + lane < num_keys) {
                ds = weights.data[own] * (dweights.data[own] - mean) * p.scale;
                dweights.data[own] = ds;
            }
            STAGE_SYNC();
            STAGE_PUT(ds_stage, 0, vec4(ds));
            STAGE_SYNC();
            for (uint j = 0; j < min(WAVE, num_keys - key0); j++) {
                const vec4 key_ds = STAGE_GET(ds_stage, 0, j);
                const uint k_base = (block.z + key0 + j) * p.kv_stride + p.k_offset;
#define ADD(i)                                                                                     \
    if (i * WAVE < QUADS)                                                                          \
        acc[i] = fma(key_ds, LOAD4(kv, k_base + SLICE_QUAD(i)), acc[i]);
                SLICES(ADD)
            }
        }
        const uint q_base = row * p.q_stride + p.q_offset;
#define STORE(i)                                                                                   \
    if (i * WAVE < QUADS && IN_SLICE(i))                                                           \
        STORE4(grad, q_base + SLICE_QUAD(i), LOAD4(grad, q_base + SLICE_QUAD(i)) + acc[i]);
        SLICES(STORE)
    }
}
