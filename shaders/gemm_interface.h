// Matrix products. Read by C and GLSL.
#ifndef SHADERS_GEMM_INTERFACE_H
#define SHADERS_GEMM_INTERFACE_H

#include "lib/shared.h"

#define GEMM_A 1
#define GEMM_B 2
#define GEMM_C 3
#define GEMM_BIAS 4      // read by NT, written by TN (column sums of A)
#define GEMM_AUX_READ 5  // what an activation left for the backward pass
#define GEMM_AUX_WRITE 6 // where it leaves it

#define GEMM_SPEC_EPILOGUE 1
#define GEMM_SPEC_ACCUMULATE 2
#define GEMM_SPEC_BIAS 3 // 0: none; else 1 + the ACCUMULATE_ mode of what TN writes

// Of gemm_block.comp: rows and columns of C that a workgroup makes, those of them that a subgroup
// makes, and the shape of a subgroup's multiplication.
#define GEMM_SPEC_BLOCK_ROWS 4
#define GEMM_SPEC_BLOCK_COLS 5
#define GEMM_SPEC_PART_ROWS 6
#define GEMM_SPEC_PART_COLS 7
#define GEMM_SPEC_MMA_ROWS 8
#define GEMM_SPEC_MMA_COLS 9
#define GEMM_SPEC_MMA_DEPTH 10

// Epilogues.
#define GEMM_PLAIN 0
#define GEMM_RELU 1          // c = max(c, 0)
#define GEMM_GELU 2          // c = gelu(c); aux = c before it
#define GEMM_SILU 3          // c = silu(c); aux = c before it
#define GEMM_RELU_BACKWARD 4 // c = aux > 0 ? c : 0
#define GEMM_GELU_BACKWARD 5 // c = c * gelu'(aux)
#define GEMM_SILU_BACKWARD 6 // c = c * silu'(aux)

// Layouts: C [M, N] = A B, all row-major. Strides and offsets are in vec4. The rows of A are as
// many as the batch has, its columns and N are fixed.
//
// TN sums over the rows, many for a small C. It may be cut into slices of them, one a layer of
// workgroups: each leaves its C, M rows after the last one's, and its sums of columns, and
// gemm_slices.comp adds them up in order.
#define GEMM_NT 0 // A [M, K], B [N, K]
#define GEMM_NN 1 // A [M, K], B [K, N]
#define GEMM_TN 2 // A [K, M], B [K, N]

struct gemm_push {
    SHARED_UINT rows_dim; // rows of A, from the header
    SHARED_UINT cols;     // columns of A
    SHARED_UINT n;
    SHARED_UINT a_offset, a_stride; // the offset counts in NT and NN only
    SHARED_UINT b_offset, b_stride;
    SHARED_UINT c_offset, c_stride;
    SHARED_UINT aux_stride;
    SHARED_UINT num_slices; // in TN: at most
};

#define GEMM_SLICES_PARTS 1
#define GEMM_SLICES_C 2
#define GEMM_SLICES_BIAS_PARTS 3
#define GEMM_SLICES_BIAS 4

#define GEMM_SLICES_SPEC_ACCUMULATE 1
#define GEMM_SLICES_SPEC_BIAS 2 // as GEMM_SPEC_BIAS

struct gemm_slices_push {
    SHARED_UINT rows_dim;
    SHARED_UINT num_slices;
    SHARED_UINT rows, quads, c_stride; // of C, in vec4
    SHARED_UINT bias_quads;            // 0: none
};

// What a slice has at least: less is not worth storing sums for.
#define GEMM_SLICE_ROWS 1024

#endif
