#version 450
// C [M, N] = A B (+ bias, + C) with an epilogue, for GPUs: a workgroup makes BLOCK_ROWS x
// BLOCK_COLS of C, over K in steps of DEPTH columns that it brings to shared memory; those of the
// next step are under way to registers while it multiplies. LAYOUT is one of GEMM_NT, GEMM_NN,
// GEMM_TN. With COOPERATIVE the operands are rounded to 16 bits (float16, or with BFLOAT16 that)
// and multiplied by cooperative matrices, whose sums are float32; else an invocation makes 8 x 8 of
// C, and sums in the order of gemm.comp.
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#ifdef COOPERATIVE
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#ifdef BFLOAT16
#extension GL_EXT_bfloat16 : require
#define MMA_TYPE bfloat16_t
#define MMA_ELEMENT ELEMENT_BF16
#else
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define MMA_TYPE float16_t
#define MMA_ELEMENT ELEMENT_F16
#endif
#endif
#undef READ_TEXELS
#include "gemm_interface.h"
#define PUSH gemm_push
#include "lib/bind.glsl"
#include "lib/activation.glsl"
#include "lib/gemm_operands.glsl"
#include "lib/gemm_slices.glsl"

layout(constant_id = SPEC_WAVE) const uint LANES = 256;
layout(local_size_x_id = SPEC_WAVE) in;
layout(constant_id = GEMM_SPEC_BLOCK_ROWS) const uint BLOCK_ROWS = 64;
layout(constant_id = GEMM_SPEC_BLOCK_COLS) const uint BLOCK_COLS = 64;

// Vec4 of a step; of A they run along K but for TN, of B along K for NT alone.
#ifdef COOPERATIVE
const uint DEPTH = 32;
#define STEP_TYPE uvec2
#define TO_STEP(v) pack_halves(v, MMA_ELEMENT)
#define FROM_STEP(words) unpack_halves(words, MMA_ELEMENT)
#else
const uint DEPTH = 16;
#define STEP_TYPE vec4
#define TO_STEP(v) (v)
#define FROM_STEP(v) (v)
#endif
const uint A_QUADS = BLOCK_ROWS * DEPTH / 4 / LANES, B_QUADS = BLOCK_COLS * DEPTH / 4 / LANES;

// Rows in shared memory are skewed, by 16 bytes: neighbouring ones begin in other banks.
// Cooperative matrices take operands as they lie in memory, the other kernel wants them by rows of
// K.
#ifdef COOPERATIVE
#if LAYOUT == GEMM_TN
const uint A_ROW = BLOCK_ROWS / 4 + 2, A_ROWS = DEPTH;
#else
const uint A_ROW = DEPTH / 4 + 2, A_ROWS = BLOCK_ROWS;
#endif
#if LAYOUT == GEMM_NT
const uint B_ROW = DEPTH / 4 + 2, B_ROWS = BLOCK_COLS;
#else
const uint B_ROW = BLOCK_COLS / 4 + 2, B_ROWS = DEPTH;
#endif
#else
const uint A_ROW = BLOCK_ROWS / 4 + 1, A_ROWS = DEPTH;
const uint B_ROW = BLOCK_COLS / 4 + 1, B_ROWS = DEPTH;
#endif
shared STEP_TYPE a_step[A_ROWS * A_ROW];
shared STEP_TYPE b_step[B_ROWS * B_ROW];

#define lane gl_LocalInvocationIndex

uint m_end, k_end, c_begin;

// What lies beyond K counts as 0.
vec4 load_a(uint m0, uint k0, uint i) {
#if LAYOUT == GEMM_TN
    const uint k = k0 + i / (BLOCK_ROWS / 4), quad = m0 / 4 + i % (BLOCK_ROWS / 4);
    const vec4 v = LOAD4(a, min(k, k_end - 1) * p.a_stride + min(quad, (p.cols + 3) / 4 - 1));
    return k < k_end ? v : vec4(0);
#else
    const uint row = min(m0 + i / (DEPTH / 4), m_end - 1), quad = k0 / 4 + i % (DEPTH / 4);
    const vec4 v = LOAD4(a, p.a_offset + row * p.a_stride + min(quad, (k_end + 3) / 4 - 1));
    return 4 * quad < k_end ? v : vec4(0);
#endif
}

vec4 load_b(uint n0, uint k0, uint i) {
#if LAYOUT == GEMM_NT
    const uint row = min(n0 + i / (DEPTH / 4), p.n - 1), quad = k0 / 4 + i % (DEPTH / 4);
    const vec4 v = LOAD4(b, p.b_offset + row * p.b_stride + min(quad, (k_end + 3) / 4 - 1));
    return 4 * quad < k_end ? v : vec4(0);
#else
    const uint k = k0 + i / (BLOCK_COLS / 4), quad = n0 / 4 + i % (BLOCK_COLS / 4);
    const vec4 v =
        LOAD4(b, p.b_offset + min(k, k_end - 1) * p.b_stride + min(quad, (p.n + 3) / 4 - 1));
    return k < k_end ? v : vec4(0);
#endif
}

// Puts the i-th vec4 of a step in its place; TURNED: it runs along K, and is to lie across.
#if defined(COOPERATIVE)
#define PUT(step, row_quads, width, i, value) step[(i) / (width)*row_quads + (i) % (width)] = value
#else
#define PUT(step, row_quads, width, i, value) step[(i) / (width)*row_quads + (i) % (width)] = value
#define PUT_TURNED(step, row_quads, i, value)                                                      \
    [[unroll]] for (uint t = 0; t < 4; t++)                                                        \
        step[((i) % (DEPTH / 4) * 4 + t) * row_quads + (i) / (DEPTH / 4) / 4]                      \
            [(i) / (DEPTH / 4) % 4] = value[t]
#endif

void put_a(uint i, STEP_TYPE value) {
#if LAYOUT == GEMM_TN
    PUT(a_step, A_ROW, BLOCK_ROWS / 4, i, value);
#elif defined(COOPERATIVE)
    PUT(a_step, A_ROW, DEPTH / 4, i, value);
#else
    PUT_TURNED(a_step, A_ROW, i, value);
#endif
}

void put_b(uint i, STEP_TYPE value) {
#if LAYOUT != GEMM_NT
    PUT(b_step, B_ROW, BLOCK_COLS / 4, i, value);
#elif defined(COOPERATIVE)
    PUT(b_step, B_ROW, DEPTH / 4, i, value);
#else
    PUT_TURNED(b_step, B_ROW, i, value);
#endif
}

// Columns past N are pads of the row and stay zero.
void store(uint m, uint n_quad, vec4 sum) {
    if (m >= m_end || 4 * n_quad >= p.n)
        return;
    const bvec4 inside = lessThan(uvec4(4 * n_quad) + uvec4(0, 1, 2, 3), uvec4(p.n));
    const uint idx = c_begin + m * p.c_stride + n_quad;
#if LAYOUT == GEMM_NT
    if (BIAS != 0)
        sum += LOAD4(bias, n_quad);
#endif
    STORE4(c, idx, mix(vec4(0), finish(sum, idx, m * p.aux_stride + n_quad), inside));
}

#ifdef COOPERATIVE
#include "lib/gemm_cooperative.glsl"
#else
// An invocation's 8 x 8 are 2 x 2 squares of 4 x 4, half a block apart.
#define ACROSS (BLOCK_COLS / 8)
#define DOWN (BLOCK_ROWS / 8)
#define SUMS                                                                                       \
    precise vec4 sums[16];                                                                         \
    [[unroll]] for (uint i = 0; i < 16; i++) sums[i] = vec4(0)
#define SUM_ROW(i, factor)                                                                         \
    sums[2 * (i)] = fma(vec4(factor), left, sums[2 * (i)]);                                        \
    sums[2 * (i) + 1] = fma(vec4(factor), right, sums[2 * (i) + 1]);
#define MULTIPLY                                                                                   \
    for (uint k = 0; k < DEPTH; k++) {                                                             \
        const vec4 upper = a_step[k * A_ROW + lane / ACROSS];                                      \
        const vec4 lower = a_step[k * A_ROW + lane / ACROSS + DOWN];                               \
        const vec4 left = b_step[k * B_ROW + lane % ACROSS];                                       \
        const vec4 right = b_step[k * B_ROW + lane % ACROSS + ACROSS];                             \
        SUM_ROW(0, upper.x)                                                                        \
        SUM_ROW(1, upper.y)                                                                        \
        SUM_ROW(2, upper.z) SUM_ROW(3, upper.w) SUM_ROW(4, lower.x) SUM_ROW(5, lower.y)            \
            SUM_ROW(6, lower.z) SUM_ROW(7, lower.w)                                                \
    }
#define STORE_SUMS                                                                                 \
    [[unroll]] for (uint i = 0; i < 16; i++)                                                       \
        store(m0 + 4 * (lane / ACROSS + i / 8 * DOWN) + i / 2 % 4,                                 \
              n0 / 4 + lane % ACROSS + i % 2 * ACROSS, sums[i]);
#endif

void main() {
#if LAYOUT == GEMM_TN
    const uint rows = header_dim(p.rows_dim), slice = gl_WorkGroupID.z;
    const uint each = slice_rows(rows, p.num_slices), k_begin = slice * each;
    const uint bias_begin = slice * ((p.cols + 3) / 4);
    if (slice > 0 && k_begin >= rows)
        return;
    m_end = p.cols;
    k_end = min(rows, k_begin + each);
    c_begin = slice * p.cols * p.c_stride;
#else
    const uint k_begin = 0;
    m_end = header_dim(p.rows_dim);
    k_end = p.cols;
    c_begin = p.c_offset;
#endif
    const uint m0 = gl_WorkGroupID.y * BLOCK_ROWS, n0 = gl_WorkGroupID.x * BLOCK_COLS;
    if (m0 >= m_end)
        return;
    STEP_TYPE a_next[A_QUADS], b_next[B_QUADS];
    SUMS;
#if LAYOUT == GEMM_TN
    precise vec4 bias_sum = vec4(0);
    const bool has_bias = BIAS != 0 && gl_WorkGroupID.x == 0 && lane < BLOCK_ROWS / 4;
#endif
    for (uint k0 = k_begin; k0 < k_end + DEPTH; k0 += DEPTH) {
        if (k0 > k_begin) {
            barrier(); // the last step is multiplied
            [[unroll]] for (uint i = 0; i < A_QUADS; i++) put_a(lane + i * LANES, a_next[i]);
            [[unroll]] for (uint i = 0; i < B_QUADS; i++) put_b(lane + i * LANES, b_next[i]);
            barrier();
        }
        if (k0 < k_end) {
            [[unroll]] for (uint i = 0; i < A_QUADS; i++) a_next[i] =
                TO_STEP(load_a(m0, k0, lane + i * LANES));
            [[unroll]] for (uint i = 0; i < B_QUADS; i++) b_next[i] =
                TO_STEP(load_b(n0, k0, lane + i * LANES));
        }
        if (k0 == k_begin)
            continue;
#if LAYOUT == GEMM_TN
        if (has_bias)
            for (uint k = 0; k < DEPTH; k++)
                bias_sum += FROM_STEP(a_step[k * A_ROW + lane]);
#endif
        MULTIPLY
    }
#if LAYOUT == GEMM_TN
    const uint quad = m0 / 4 + lane;
    if (has_bias && 4 * quad < m_end)
        STORE4(bias, bias_begin + quad,
               accumulates(BIAS - 1) ? LOAD4(bias, quad) + bias_sum : bias_sum);
#endif
    STORE_SUMS
}
