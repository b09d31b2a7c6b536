#version 450
// dQ for a block of queries of one head, without atomics; leaves rowsum(dO * O) in the statistics
// for the key kernel. Source: Dao 2023, arXiv:2307.08691, algorithm 2, with the loops exchanged.
#extension GL_GOOGLE_include_directive : require
#include "lib/attention.glsl"

layout(constant_id = ATTENTION_SPEC_DROPOUT) const uint DROPOUT = 0;

BIND_MATRIX(ATTENTION_Q, q);
BIND_MATRIX(ATTENTION_KV, kv);
BIND_UPDATE(ATTENTION_STATS, vec2, 8, stats);
BIND_READ(ATTENTION_TABLE, uvec4, 16, table);
BIND_MATRIX(ATTENTION_OUT, o);
BIND_MATRIX(ATTENTION_DOUT, dout);
BIND_MATRIX_WRITE(ATTENTION_GRAD, grad);

STAGE_SHARED(q_stage, ROW_REGS)
STAGE_SHARED(d_stage, ROW_REGS)

void main() {
    STAGE_LOCAL(q_stage, ROW_REGS);
    STAGE_LOCAL(d_stage, ROW_REGS);
    const uvec4 block = table.data[gl_WorkGroupID.x];
    const uint head = gl_WorkGroupID.y, num_queries = block.y;
    const uint q_base = block.x * p.q_stride + p.q_offset + head * QUADS;
    const uint o_base = block.x * p.out_stride + head * QUADS;
    const uint k_base = p.k_offset + head * QUADS, v_base = p.v_offset + head * QUADS;
    precise vec4 acc[ATTENTION_ROWS * MAX_SLICES];
    precise float s[ATTENTION_ROWS], dp[ATTENTION_ROWS];
    float lse[ATTENTION_ROWS], delta[ATTENTION_ROWS];
    for (uint r = 0; r < ATTENTION_ROWS * MAX_SLICES; r++)
        acc[r] = vec4(0);
#define DELTA(r)                                                                                   \
    {                                                                                              \
        const uint row = min(r, num_queries - 1);                                                  \
        const uint stat = (block.x + row) * p.stats_stride + head;                                 \
        float part = 0.0;                                                                          \
        for (uint quad = lane; quad < QUADS; quad += WAVE)                                         \
            part = dot_add(LOAD4(o, o_base + row * p.out_stride + quad),                           \
                           LOAD4(dout, o_base + row * p.out_stride + quad), part);                 \
        delta[r] = wave_sum(part);                                                                 \
        lse[r] = stats.data[stat].x;                                                               \
        if (lane == 0 && r < num_queries)                                                          \
            stats.data[stat].y = delta[r];                                                         \
    }
    ROWS(DELTA)

    for (uint key0 = block.z; key0 < block.w; key0 += WAVE) {
        const uint key = min(key0 + lane, block.w - 1);
#define CLEAR_SCORE(r)                                                                             \
    s[r] = 0.0;                                                                                    \
    dp[r] = 0.0;
        ROWS(CLEAR_SCORE)
        for (uint quad = 0; quad < QUADS; quad++) {
            STAGE_SYNC();
            STAGE_ROWS(q_stage, q, q_base, p.q_stride, num_queries, quad);
            STAGE_ROWS(d_stage, dout, o_base, p.out_stride, num_queries, quad);
            const vec4 k = LOAD4(kv, key * p.kv_stride + k_base + quad);
            const vec4 v = LOAD4(kv, key * p.kv_stride + v_base + quad);
            STAGE_SYNC();
#define SCORE(r)                                                                                   \
    s[r] = dot_add(STAGED_ROW(q_stage, r), k, s[r]);                                               \
    dp[r] = dot_add(STAGED_ROW(d_stage, r), v, dp[r]);
            ROWS(SCORE)
        }
        if (DROPOUT != 0) {
            vec4 factors[ATTENTION_ROWS / 4];
            block_factors(head, key, block.x, factors);
#define DROP(r) dp[r] *= factors[r / 4][r % 4];
            ROWS(DROP)
        }
        // dS = P * (dP - delta), with P recomputed.
#define SOFTMAX_GRADIENT(r)                                                                        \
    {                                                                                              \
        const bool visible = key0 + lane < block.w && (CAUSAL == 0 || key <= block.x + r);         \
        const float weight = visible ? exp(s[r] * p.scale - lse[r]) : 0.0;                         \
        s[r] = weight * (dp[r] - delta[r]) * p.scale;                                              \
    }
        ROWS(SOFTMAX_GRADIENT)
        STAGE_SYNC();
        STAGE_PUT(q_stage, 0, vec4(s[0], s[1], s[2], s[3]));
        STAGE_PUT(q_stage, 1, vec4(s[4], s[5], s[6], s[7]));
        STAGE_SYNC();
        const uint num_keys = min(WAVE, block.w - key0);
        for (uint j = 0; j < num_keys; j++) {
            const vec4 low = STAGE_GET(q_stage, 0, j), high = STAGE_GET(q_stage, 1, j);
#define ADD_ROW(r, i, weight)                                                                      \
    acc[ATTENTION_ROWS * i + r] = fma(vec4(weight), k, acc[ATTENTION_ROWS * i + r]);
#define ADD(i)                                                                                     \
    if (i * WAVE < QUADS) {                                                                        \
        const vec4 k = LOAD4(kv, (key0 + j) * p.kv_stride + k_base + SLICE_QUAD(i));               \
        ADD_ROW(0, i, low.x)                                                                       \
        ADD_ROW(1, i, low.y) ADD_ROW(2, i, low.z) ADD_ROW(3, i, low.w) ADD_ROW(4, i, high.x)       \
            ADD_ROW(5, i, high.y) ADD_ROW(6, i, high.z) ADD_ROW(7, i, high.w)                      \
    }
            SLICES(ADD)
        }
    }

#define STORE_SLICE(r, i)                                                                          \
    if (i * WAVE < QUADS && IN_SLICE(i) && r < num_queries)                                        \
        STORE4(grad, (block.x + r) * p.grad_stride + p.grad_offset + head * QUADS + SLICE_QUAD(i), \
               acc[ATTENTION_ROWS * i + r]);
#define STORE(r)                                                                                   \
    STORE_SLICE(r, 0)                                                                              \
    STORE_SLICE(r, 1) STORE_SLICE(r, 2) STORE_SLICE(r, 3) STORE_SLICE(r, 4) STORE_SLICE(r, 5)      \
        STORE_SLICE(r, 6) STORE_SLICE(r, 7)
    ROWS(STORE)
}
