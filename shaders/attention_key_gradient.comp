#version 450
// dK and dV for a block of keys of one head, without atomics. Needs the statistics that the query
// kernel completed. Source: Dao 2023, arXiv:2307.08691, algorithm 2.
#extension GL_GOOGLE_include_directive : require
#include "lib/attention.glsl"

layout(constant_id = ATTENTION_SPEC_DROPOUT) const uint DROPOUT = 0;

BIND_MATRIX(ATTENTION_Q, q);
BIND_MATRIX(ATTENTION_KV, kv);
BIND_READ(ATTENTION_STATS, vec2, 8, stats);
BIND_READ(ATTENTION_TABLE, uvec4, 16, table);
BIND_MATRIX(ATTENTION_DOUT, dout);
BIND_MATRIX_WRITE(ATTENTION_GRAD, grad);

STAGE_SHARED(k_stage, ROW_REGS)
STAGE_SHARED(v_stage, ROW_REGS)

void main() {
    STAGE_LOCAL(k_stage, ROW_REGS);
    STAGE_LOCAL(v_stage, ROW_REGS);
    const uvec4 block = table.data[gl_WorkGroupID.x];
    const uint head = gl_WorkGroupID.y, num_keys = block.y;
    const uint k_base = block.x * p.kv_stride + p.k_offset + head * QUADS;
    const uint v_base = block.x * p.kv_stride + p.v_offset + head * QUADS;
    const uint q_base = p.q_offset + head * QUADS, d_base = head * QUADS;
    precise vec4 dk[ATTENTION_ROWS * MAX_SLICES], dv[ATTENTION_ROWS * MAX_SLICES];
    precise float s[ATTENTION_ROWS], dp[ATTENTION_ROWS];
    for (uint r = 0; r < ATTENTION_ROWS * MAX_SLICES; r++) {
        dk[r] = vec4(0);
        dv[r] = vec4(0);
    }

    for (uint query0 = block.z; query0 < block.w; query0 += WAVE) {
        const uint query = min(query0 + lane, block.w - 1);
        const vec2 stat = stats.data[query * p.stats_stride + head];
#define CLEAR_SCORE(r)                                                                             \
    s[r] = 0.0;                                                                                    \
    dp[r] = 0.0;
        ROWS(CLEAR_SCORE)
        for (uint quad = 0; quad < QUADS; quad++) {
            STAGE_SYNC();
            STAGE_ROWS(k_stage, kv, k_base, p.kv_stride, num_keys, quad);
            STAGE_ROWS(v_stage, kv, v_base, p.kv_stride, num_keys, quad);
            const vec4 own_q = LOAD4(q, query * p.q_stride + q_base + quad);
            const vec4 own_d = LOAD4(dout, query * p.out_stride + d_base + quad);
            STAGE_SYNC();
#define SCORE(r)                                                                                   \
    s[r] = dot_add(STAGED_ROW(k_stage, r), own_q, s[r]);                                           \
    dp[r] = dot_add(STAGED_ROW(v_stage, r), own_d, dp[r]);
            ROWS(SCORE)
        }
        float factors[ATTENTION_ROWS];
        if (DROPOUT != 0) {
#define DROP(r)                                                                                    \
    factors[r] = weight_factors(head, block.x + r, query / 4)[query % 4];                          \
    dp[r] *= factors[r];
            ROWS(DROP)
        }
        // P^T under dropout, and dS^T = P^T * (dP^T - delta).
#define SOFTMAX_GRADIENT(r)                                                                        \
    {                                                                                              \
        const bool visible = query0 + lane < block.w && (CAUSAL == 0 || block.x + r <= query);     \
        const float weight = visible ? exp(s[r] * p.scale - stat.x) : 0.0;                         \
        s[r] = DROPOUT != 0 ? weight * factors[r] : weight;                                        \
        dp[r] = weight * (dp[r] - stat.y) * p.scale;                                               \
    }
        ROWS(SOFTMAX_GRADIENT)
        STAGE_SYNC();
        STAGE_PUT(k_stage, 0, vec4(s[0], s[1], s[2], s[3]));
        STAGE_PUT(k_stage, 1, vec4(s[4], s[5], s[6], s[7]));
        STAGE_PUT(v_stage, 0, vec4(dp[0], dp[1], dp[2], dp[3]));
        STAGE_PUT(v_stage, 1, vec4(dp[4], dp[5], dp[6], dp[7]));
        STAGE_SYNC();
        const uint num_queries = min(WAVE, block.w - query0);
        for (uint j = 0; j < num_queries; j++) {
            const vec4 p_low = STAGE_GET(k_stage, 0, j), p_high = STAGE_GET(k_stage, 1, j);
            const vec4 ds_low = STAGE_GET(v_stage, 0, j), ds_high = STAGE_GET(v_stage, 1, j);
#define ADD_ROW(sum, r, i, weight, value)                                                          \
    sum[ATTENTION_ROWS * i + r] = fma(vec4(weight), value, sum[ATTENTION_ROWS * i + r]);
#define ADD_ROWS(sum, i, low, high, value)                                                         \
    ADD_ROW(sum, 0, i, low.x, value)                                                               \
    ADD_ROW(sum, 1, i, low.y, value) ADD_ROW(sum, 2, i, low.z, value)                              \
        ADD_ROW(sum, 3, i, low.w, value) ADD_ROW(sum, 4, i, high.x, value)                         \
            ADD_ROW(sum, 5, i, high.y, value) ADD_ROW(sum, 6, i, high.z, value)                    \
                ADD_ROW(sum, 7, i, high.w, value)
#define ADD(i)                                                                                     \
    if (i * WAVE < QUADS) {                                                                        \
        const vec4 row_q = LOAD4(q, (query0 + j) * p.q_stride + q_base + SLICE_QUAD(i));           \
        const vec4 row_d = LOAD4(dout, (query0 + j) * p.out_stride + d_base + SLICE_QUAD(i));      \
        ADD_ROWS(dv, i, p_low, p_high, row_d)                                                      \
        ADD_ROWS(dk, i, ds_low, ds_high, row_q)                                                    \
    }
            SLICES(ADD)
        }
    }

#define STORE_SLICE(r, i)                                                                          \
    if (i * WAVE < QUADS && IN_SLICE(i) && r < num_keys) {                                         \
        const uint row = (block.x + r) * p.grad_stride + head * QUADS + SLICE_QUAD(i);             \
        STORE4(grad, row + p.grad_offset, dk[ATTENTION_ROWS * i + r]);                             \
        STORE4(grad, row + p.grad_v_offset, dv[ATTENTION_ROWS * i + r]);                           \
    }
#define STORE(r)                                                                                   \
    STORE_SLICE(r, 0)                                                                              \
    STORE_SLICE(r, 1) STORE_SLICE(r, 2) STORE_SLICE(r, 3) STORE_SLICE(r, 4) STORE_SLICE(r, 5)      \
        STORE_SLICE(r, 6) STORE_SLICE(r, 7)
    ROWS(STORE)
}
