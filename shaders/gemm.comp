#version 450
// C [M, N] = A B (+ bias, + C) with an epilogue. A wave computes TILE_M rows of 4 * WAVE columns:
// a lane holds 4 columns of every row in registers, loads its part of B itself and takes the rows
// of A from the lane that loaded them. LAYOUT is one of GEMM_NT, GEMM_NN, GEMM_TN; TILE_M is 64,
// 16 or 8. The sum over K runs in order, whatever the tile.
#extension GL_GOOGLE_include_directive : require
#include "gemm_interface.h"
#define PUSH gemm_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"
#include "lib/repeat.glsl"
#include "lib/activation.glsl"
#include "lib/gemm_operands.glsl"
#include "lib/gemm_slices.glsl"

#if TILE_M == 64
#define REPEAT_ROWS REPEAT_64
#define REPEAT_QUADS REPEAT_16
#elif TILE_M == 16
#define REPEAT_ROWS REPEAT_16
#define REPEAT_QUADS REPEAT_4
#else
#define REPEAT_ROWS REPEAT_8
#define REPEAT_QUADS(F) F(0) F(1)
#endif

// Registers a lane needs to hold its share of a tile of A, for waves of 4 and more.
#if LAYOUT == GEMM_TN
#define SHARE (TILE_M / 4)
#if TILE_M == 64
#define REPEAT_SHARE REPEAT_4
#else
#define REPEAT_SHARE(F) F(0)
#endif
#define STAGED ((SHARE + 3) / 4 * 4)
#else
#define REPEAT_SHARE REPEAT_QUADS
#define STAGED (TILE_M / 4)
#endif
STAGE_SHARED(a_stage, STAGED)

#if LAYOUT == GEMM_TN
// Four rows of A, columns m0 .. m0 + TILE_M: vec4 column q of row t lies with lane q % WAVE.
#define STAGE_REG(q, t) ((q) / WAVE * 4 + (t))
#define ROW_STEP(q, t)                                                                             \
    acc[4 * q + 0] = fma(a_row.xxxx, b_row[t], acc[4 * q + 0]);                                    \
    acc[4 * q + 1] = fma(a_row.yyyy, b_row[t], acc[4 * q + 1]);                                    \
    acc[4 * q + 2] = fma(a_row.zzzz, b_row[t], acc[4 * q + 2]);                                    \
    acc[4 * q + 3] = fma(a_row.wwww, b_row[t], acc[4 * q + 3]);
#define QUAD(q)                                                                                    \
    a_row = STAGE_GET(a_stage, STAGE_REG(q, 0), q % WAVE);                                         \
    ROW_STEP(q, 0)                                                                                 \
    a_row = STAGE_GET(a_stage, STAGE_REG(q, 1), q % WAVE);                                         \
    ROW_STEP(q, 1)                                                                                 \
    a_row = STAGE_GET(a_stage, STAGE_REG(q, 2), q % WAVE);                                         \
    ROW_STEP(q, 2)                                                                                 \
    a_row = STAGE_GET(a_stage, STAGE_REG(q, 3), q % WAVE);                                         \
    ROW_STEP(q, 3)
#define LOAD_A(i)                                                                                  \
    if (i * WAVE < SHARE) {                                                                        \
        uint quad = min(m_quad + i * WAVE + lane, (p.cols + 3) / 4 - 1);                           \
        LOAD_A_ROW(i, 0, quad)                                                                     \
        LOAD_A_ROW(i, 1, quad) LOAD_A_ROW(i, 2, quad) LOAD_A_ROW(i, 3, quad)                       \
    }
#define LOAD_A_ROW(i, t, quad)                                                                     \
    {                                                                                              \
        vec4 loaded = LOAD4(a, min(k + t, k_end - 1) * p.a_stride + quad);                         \
        loaded = k + t < k_end ? loaded : vec4(0);                                                 \
        STAGE_PUT(a_stage, i * 4 + t, loaded);                                                     \
        bias_sum[i] += loaded;                                                                     \
    }
#else
// Row i of the tile of A, columns k .. k + 4, lies with lane i % WAVE.
#define ROW(i)                                                                                     \
    a_row = STAGE_GET(a_stage, i / WAVE, i % WAVE);                                                \
    acc[i] = fma(a_row.xxxx, b_row[0], acc[i]);                                                    \
    acc[i] = fma(a_row.yyyy, b_row[1], acc[i]);                                                    \
    acc[i] = fma(a_row.zzzz, b_row[2], acc[i]);                                                    \
    acc[i] = fma(a_row.wwww, b_row[3], acc[i]);
#define LOAD_A(i)                                                                                  \
    if (i * WAVE < TILE_M) {                                                                       \
        uint row = min(m0 + i * WAVE + lane, m_end - 1);                                           \
        STAGE_PUT(a_stage, i, LOAD4(a, p.a_offset + row * p.a_stride + k / 4));                    \
    }
#endif

void main() {
#if LAYOUT == GEMM_TN
    const uint m_end = p.cols, rows = header_dim(p.rows_dim), slice = gl_WorkGroupID.z;
    const uint each = slice_rows(rows, p.num_slices);
    const uint k_begin = slice * each, k_end = min(rows, k_begin + each);
    if (slice > 0 && k_begin >= rows)
        return;
    const uint c_begin = slice * p.cols * p.c_stride, bias_begin = slice * ((p.cols + 3) / 4);
#else
    const uint m_end = header_dim(p.rows_dim), k_begin = 0, k_end = p.cols;
    const uint c_begin = p.c_offset;
#endif
    const uint m0 = gl_WorkGroupID.y * TILE_M, m_quad = m0 / 4;
    const uint n_quads = (p.n + 3) / 4;
    const uint own_quad = gl_WorkGroupID.x * WAVE + lane, n_quad = min(own_quad, n_quads - 1);
    if (m0 >= m_end)
        return;

    precise vec4 acc[TILE_M];
    STAGE_LOCAL(a_stage, STAGED);
    vec4 a_row, b_row[4];
#if LAYOUT == GEMM_TN
    vec4 bias_sum[STAGED / 4];
    for (uint i = 0; i < STAGED / 4; i++)
        bias_sum[i] = vec4(0);
#endif
#define CLEAR(i) acc[i] = vec4(0);
    REPEAT_ROWS(CLEAR)

    for (uint k = k_begin; k < k_end; k += 4) {
        STAGE_SYNC();
        REPEAT_SHARE(LOAD_A)
#if LAYOUT == GEMM_NT
        const uint n = 4 * n_quad, k_quad = k / 4;
        vec4 w0 = LOAD4(b, p.b_offset + n * p.b_stride + k_quad);
        vec4 w1 = LOAD4(b, p.b_offset + min(n + 1, p.n - 1) * p.b_stride + k_quad);
        vec4 w2 = LOAD4(b, p.b_offset + min(n + 2, p.n - 1) * p.b_stride + k_quad);
        vec4 w3 = LOAD4(b, p.b_offset + min(n + 3, p.n - 1) * p.b_stride + k_quad);
        b_row[0] = vec4(w0.x, w1.x, w2.x, w3.x);
        b_row[1] = vec4(w0.y, w1.y, w2.y, w3.y);
        b_row[2] = vec4(w0.z, w1.z, w2.z, w3.z);
        b_row[3] = vec4(w0.w, w1.w, w2.w, w3.w);
#else
#define LOAD_B(t) b_row[t] = LOAD4(b, p.b_offset + min(k + t, k_end - 1) * p.b_stride + n_quad);
        REPEAT_4(LOAD_B)
#endif
        STAGE_SYNC();
#if LAYOUT == GEMM_TN
        REPEAT_QUADS(QUAD)
#else
        REPEAT_ROWS(ROW)
#endif
    }

#if LAYOUT == GEMM_TN
    if (BIAS != 0 && gl_WorkGroupID.x == 0) {
        for (uint i = 0; i < STAGED / 4; i++) {
            uint quad = m_quad + i * WAVE + lane;
            if (i * WAVE + lane < SHARE && 4 * quad < m_end)
                STORE4(bias, bias_begin + quad,
                       accumulates(BIAS - 1) ? LOAD4(bias, quad) + bias_sum[i] : bias_sum[i]);
        }
    }
#endif
    if (own_quad >= n_quads)
        return;
    // Columns past N are pads of the row and stay zero.
    const bvec4 inside = lessThan(uvec4(4 * n_quad) + uvec4(0, 1, 2, 3), uvec4(p.n));
    vec4 bias_value = vec4(0);
#if LAYOUT == GEMM_NT
    if (BIAS != 0)
        bias_value = LOAD4(bias, n_quad);
#endif
#define STORE(i)                                                                                   \
    if (m0 + i < m_end) {                                                                          \
        uint idx = c_begin + (m0 + i) * p.c_stride + n_quad;                                       \
        STORE4(c, idx,                                                                             \
               mix(vec4(0), finish(acc[i] + bias_value, idx, (m0 + i) * p.aux_stride + n_quad),    \
                   inside));                                                                       \
    }
    REPEAT_ROWS(STORE)
}
