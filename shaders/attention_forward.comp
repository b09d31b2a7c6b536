#version 450
// O = softmax(scale Q K^T) V for a block of queries of one head; the log-sum-exp of every row is
// kept for the backward pass. Source: Dao 2023, arXiv:2307.08691, algorithm 1.
#extension GL_GOOGLE_include_directive : require
#include "lib/attention.glsl"

layout(constant_id = ATTENTION_SPEC_DROPOUT) const uint DROPOUT = 0;

BIND_MATRIX(ATTENTION_Q, q);
BIND_MATRIX(ATTENTION_KV, kv);
BIND_WRITE(ATTENTION_STATS, vec2, 8, stats);
BIND_READ(ATTENTION_TABLE, uvec4, 16, table);
BIND_MATRIX_WRITE(ATTENTION_OUT, o);

STAGE_SHARED(q_stage, ROW_REGS)
STAGE_SHARED(p_stage, ROW_REGS)

void main() {
    STAGE_LOCAL(q_stage, ROW_REGS);
    STAGE_LOCAL(p_stage, ROW_REGS);
    const uvec4 block = table.data[gl_WorkGroupID.x];
    const uint head = gl_WorkGroupID.y, num_queries = block.y;
    const uint q_base = block.x * p.q_stride + p.q_offset + head * QUADS;
    const uint k_base = p.k_offset + head * QUADS, v_base = p.v_offset + head * QUADS;
    precise vec4 acc[ATTENTION_ROWS * MAX_SLICES];
    precise float row_max[ATTENTION_ROWS], row_sum[ATTENTION_ROWS], s[ATTENTION_ROWS];
    for (uint r = 0; r < ATTENTION_ROWS * MAX_SLICES; r++)
        acc[r] = vec4(0);
#define CLEAR(r)                                                                                   \
    row_max[r] = LOWEST;                                                                           \
    row_sum[r] = 0.0;
    ROWS(CLEAR)

    for (uint key0 = block.z; key0 < block.w; key0 += WAVE) {
        const uint key = min(key0 + lane, block.w - 1);
#define CLEAR_SCORE(r) s[r] = 0.0;
        ROWS(CLEAR_SCORE)
        for (uint quad = 0; quad < QUADS; quad++) {
            STAGE_SYNC();
            STAGE_ROWS(q_stage, q, q_base, p.q_stride, num_queries, quad);
            const vec4 k = LOAD4(kv, key * p.kv_stride + k_base + quad);
            STAGE_SYNC();
#define SCORE(r) s[r] = dot_add(STAGED_ROW(q_stage, r), k, s[r]);
            ROWS(SCORE)
        }
        // Masked before the exponential: a key outside weighs nothing.
#define WEIGH(r)                                                                                   \
    {                                                                                              \
        const bool visible = key0 + lane < block.w && (CAUSAL == 0 || key <= block.x + r);         \
        const float score = visible ? s[r] * p.scale : LOWEST;                                     \
        const float new_max = max(row_max[r], wave_max(score));                                    \
        const float shrink = exp(row_max[r] - new_max);                                            \
        s[r] = visible ? exp(score - new_max) : 0.0;                                               \
        row_sum[r] = row_sum[r] * shrink + s[r];                                                   \
        row_max[r] = new_max;                                                                      \
        shrinks[r] = shrink;                                                                       \
    }
        float shrinks[ATTENTION_ROWS];
        ROWS(WEIGH)
        // What is dropped counts in the sum.
        if (DROPOUT != 0) {
            vec4 factors[ATTENTION_ROWS / 4];
            block_factors(head, key, block.x, factors);
#define DROP(r) s[r] *= factors[r / 4][r % 4];
            ROWS(DROP)
        }
#define SHRINK_ROW(r, i) acc[ATTENTION_ROWS * i + r] *= shrinks[r];
#define SHRINK(i)                                                                                  \
    if (i * WAVE < QUADS) {                                                                        \
        SHRINK_ROW(0, i)                                                                           \
        SHRINK_ROW(1, i) SHRINK_ROW(2, i) SHRINK_ROW(3, i) SHRINK_ROW(4, i) SHRINK_ROW(5, i)       \
            SHRINK_ROW(6, i) SHRINK_ROW(7, i)                                                      \
    }
        SLICES(SHRINK)
        STAGE_PUT(p_stage, 0, vec4(s[0], s[1], s[2], s[3]));
        STAGE_PUT(p_stage, 1, vec4(s[4], s[5], s[6], s[7]));
        STAGE_SYNC();
        const uint num_keys = min(WAVE, block.w - key0);
        for (uint j = 0; j < num_keys; j++) {
            const vec4 p_low = STAGE_GET(p_stage, 0, j), p_high = STAGE_GET(p_stage, 1, j);
#define ADD_ROW(r, i, weight)                                                                      \
    acc[ATTENTION_ROWS * i + r] = fma(vec4(weight), v, acc[ATTENTION_ROWS * i + r]);
#define ADD(i)                                                                                     \
    if (i * WAVE < QUADS) {                                                                        \
        const vec4 v = LOAD4(kv, (key0 + j) * p.kv_stride + v_base + SLICE_QUAD(i));               \
        ADD_ROW(0, i, p_low.x)                                                                     \
        ADD_ROW(1, i, p_low.y) ADD_ROW(2, i, p_low.z) ADD_ROW(3, i, p_low.w)                       \
            ADD_ROW(4, i, p_high.x) ADD_ROW(5, i, p_high.y) ADD_ROW(6, i, p_high.z)                \
                ADD_ROW(7, i, p_high.w)                                                            \
    }
            SLICES(ADD)
        }
    }

    // A row without keys gives zeros, and weighs nothing in the backward pass.
#define STORE_SLICE(r, i)                                                                          \
    if (i * WAVE < QUADS && IN_SLICE(i))                                                           \
        STORE4(o, row *p.out_stride + head * QUADS + SLICE_QUAD(i),                                \
               acc[ATTENTION_ROWS * i + r] * inverse);
#define STORE(r)                                                                                   \
    {                                                                                              \
        const float total = wave_sum(row_sum[r]);                                                  \
        const float inverse = total > 0.0 ? 1.0 / total : 0.0;                                     \
        const uint row = block.x + r;                                                              \
        if (r < num_queries) {                                                                     \
            STORE_SLICE(r, 0)                                                                      \
            STORE_SLICE(r, 1) STORE_SLICE(r, 2) STORE_SLICE(r, 3) STORE_SLICE(r, 4)                \
                STORE_SLICE(r, 5) STORE_SLICE(r, 6) STORE_SLICE(r, 7) if (lane == 0)               \
                    stats.data[row * p.stats_stride + head] =                                      \
                vec2(total > 0.0 ? row_max[r] + log(total) : INFINITE, 0.0);                       \
        }                                                                                          \
    }
    ROWS(STORE)
}
