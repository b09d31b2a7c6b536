#version 450
// One query a row, as in a step of decoding: the keys are a stretch of rows, or, with INDIRECT,
// the rows of the cache that the row's hypothesis has come by. A lane stands for a key.
#extension GL_GOOGLE_include_directive : require
#include "lib/attention.glsl"

layout(constant_id = ATTENTION_SPEC_INDIRECT) const uint INDIRECT = 0;

BIND_MATRIX(ATTENTION_Q, q);
BIND_MATRIX(ATTENTION_KV, kv);
BIND_READ(ATTENTION_CACHE_ROWS, uint, 4, cache_rows);
BIND_READ(ATTENTION_TABLE, uvec4, 16, table); // a row: -, -, first key, end of keys
BIND_MATRIX_WRITE(ATTENTION_OUT, o);

STAGE_SHARED(p_stage, 1)
STAGE_SHARED(q_stage, MAX_SLICES)

uint key_row(uint row, uint key) {
    return INDIRECT != 0 ? cache_rows.data[row * p.cache_stride + key] : key;
}

void main() {
    STAGE_LOCAL(p_stage, 1);
    STAGE_LOCAL(q_stage, MAX_SLICES);
    const uint row = gl_WorkGroupID.x, head = gl_WorkGroupID.y;
    const uvec4 keys = table.data[row];
    const uint q_base = row * p.q_stride + p.q_offset + head * QUADS;
    const uint k_base = p.k_offset + head * QUADS, v_base = p.v_offset + head * QUADS;
    precise vec4 acc[MAX_SLICES];
    precise float row_max = LOWEST, row_sum = 0.0;
    for (uint i = 0; i < MAX_SLICES; i++)
        acc[i] = vec4(0);
#define STAGE_Q(i)                                                                                 \
    if (i * WAVE < QUADS)                                                                          \
        STAGE_PUT(q_stage, i, LOAD4(q, q_base + SLICE_QUAD(i)));
    SLICES(STAGE_Q)
    STAGE_SYNC();
    for (uint key0 = keys.z; key0 < keys.w; key0 += WAVE) {
        const bool visible = key0 + lane < keys.w;
        const uint own = key_row(row, min(key0 + lane, keys.w - 1));
        float s = 0.0;
#define SCORE(i)                                                                                   \
    for (uint j = 0; i * WAVE + j < QUADS && j < WAVE; j++)                                        \
        s = dot_add(STAGE_GET(q_stage, i, j),                                                      \
                    LOAD4(kv, own * p.kv_stride + k_base + i * WAVE + j), s);
        SLICES(SCORE)
        const float score = visible ? s * p.scale : LOWEST;
        const float new_max = max(row_max, wave_max(score));
        const float shrink = exp(row_max - new_max);
        const float weight = visible ? exp(score - new_max) : 0.0;
        row_sum = row_sum * shrink + weight;
        row_max = new_max;
#define SHRINK(i) acc[i] *= shrink;
        SLICES(SHRINK)
        STAGE_SYNC();
        STAGE_PUT(p_stage, 0, vec4(weight));
        STAGE_SYNC();
        const uint num_keys = min(WAVE, keys.w - key0);
        for (uint j = 0; j < num_keys; j++) {
            const float key_weight = STAGE_GET(p_stage, 0, j).x;
            const uint v_row = key_row(row, key0 + j) * p.kv_stride + v_base;
#define ADD(i)                                                                                     \
    if (i * WAVE < QUADS)                                                                          \
        acc[i] = fma(vec4(key_weight), LOAD4(kv, v_row + SLICE_QUAD(i)), acc[i]);
            SLICES(ADD)
        }
    }
    const float total = wave_sum(row_sum);
    const float inverse = total > 0.0 ? 1.0 / total : 0.0;
#define STORE(i)                                                                                   \
    if (i * WAVE < QUADS && IN_SLICE(i))                                                           \
        STORE4(o, row * p.out_stride + head * QUADS + SLICE_QUAD(i), acc[i] * inverse);
    SLICES(STORE)
}
