// The multiplication of gemm_block.comp by cooperative matrices: each subgroup makes a part of the
// block, fragment by fragment, and brings their sums to shared memory, one at a time, to store
// them.
layout(constant_id = GEMM_SPEC_PART_ROWS) const uint PART_ROWS = 64;
layout(constant_id = GEMM_SPEC_PART_COLS) const uint PART_COLS = 32;
layout(constant_id = GEMM_SPEC_MMA_ROWS) const uint MMA_ROWS = 16;
layout(constant_id = GEMM_SPEC_MMA_COLS) const uint MMA_COLS = 16;
layout(constant_id = GEMM_SPEC_MMA_DEPTH) const uint MMA_DEPTH = 16;
const uint NUM_DOWN = PART_ROWS / MMA_ROWS, NUM_ACROSS = PART_COLS / MMA_COLS;
const uint PARTS_ACROSS = BLOCK_COLS / PART_COLS;
const uint NUM_PARTS = BLOCK_ROWS / PART_ROWS * PARTS_ACROSS;
const uint MMA_QUADS = MMA_ROWS * MMA_COLS / 4;
shared vec4 c_part[NUM_PARTS * MMA_QUADS];

#if LAYOUT == GEMM_TN
#define A_AT(m, k) (k) * A_ROW + (m) / 4, A_ROW, gl_CooperativeMatrixLayoutColumnMajor
#else
#define A_AT(m, k) (m) * A_ROW + (k) / 4, A_ROW, gl_CooperativeMatrixLayoutRowMajor
#endif
#if LAYOUT == GEMM_NT
#define B_AT(n, k) (n) * B_ROW + (k) / 4, B_ROW, gl_CooperativeMatrixLayoutColumnMajor
#else
#define B_AT(n, k) (k) * B_ROW + (n) / 4, B_ROW, gl_CooperativeMatrixLayoutRowMajor
#endif
#define PART_M (gl_SubgroupID / PARTS_ACROSS * PART_ROWS)
#define PART_N (gl_SubgroupID % PARTS_ACROSS * PART_COLS)

#define SUMS                                                                                       \
    coopmat<float, gl_ScopeSubgroup, MMA_ROWS, MMA_COLS, gl_MatrixUseAccumulator>                  \
        sums[NUM_DOWN * NUM_ACROSS];                                                               \
    [[unroll]] for (uint i = 0; i < NUM_DOWN * NUM_ACROSS; i++) sums[i] =                          \
        coopmat<float, gl_ScopeSubgroup, MMA_ROWS, MMA_COLS, gl_MatrixUseAccumulator>(0.0)

#define MULTIPLY                                                                                   \
    for (uint k = 0; k < DEPTH; k += MMA_DEPTH) {                                                  \
        coopmat<MMA_TYPE, gl_ScopeSubgroup, MMA_ROWS, MMA_DEPTH, gl_MatrixUseA> rows[NUM_DOWN];    \
        [[unroll]] for (uint i = 0; i < NUM_DOWN; i++)                                             \
            coopMatLoad(rows[i], a_step, A_AT(PART_M + i * MMA_ROWS, k));                          \
        [[unroll]] for (uint j = 0; j < NUM_ACROSS; j++) {                                         \
            coopmat<MMA_TYPE, gl_ScopeSubgroup, MMA_DEPTH, MMA_COLS, gl_MatrixUseB> cols;          \
            coopMatLoad(cols, b_step, B_AT(PART_N + j * MMA_COLS, k));                             \
            [[unroll]] for (uint i = 0; i < NUM_DOWN; i++) sums[i * NUM_ACROSS + j] =              \
                coopMatMulAdd(rows[i], cols, sums[i * NUM_ACROSS + j]);                            \
        }                                                                                          \
    }

#define STORE_SUMS                                                                                 \
    [[unroll]] for (uint i = 0; i < NUM_DOWN * NUM_ACROSS; i++) {                                  \
        const uint first = gl_SubgroupID * MMA_QUADS;                                              \
        coopMatStore(sums[i], c_part, first, MMA_COLS / 4, gl_CooperativeMatrixLayoutRowMajor);    \
        barrier();                                                                                 \
        for (uint q = gl_SubgroupInvocationID; q < MMA_QUADS; q += gl_SubgroupSize)                \
            store(m0 + PART_M + i / NUM_ACROSS * MMA_ROWS + q / (MMA_COLS / 4),                    \
                  (n0 + PART_N + i % NUM_ACROSS * MMA_COLS) / 4 + q % (MMA_COLS / 4),              \
                  c_part[first + q]);                                                              \
        barrier();                                                                                 \
    }
