// Recording matrix products: the kernel that linear layers, the feed-forward block and the output
// projection are made of.
#ifndef OPS_MATMUL_H
#define OPS_MATMUL_H

#include "gemm_interface.h"
#include "graph/program.h"

// Narrower rows have no pads (graph.h), and are no operands.
enum { MATMUL_MIN_COLS = 3 };

struct matmul {
    uint32_t layout; // GEMM_NT, GEMM_NN or GEMM_TN
    const struct tensor *a, *b, *c;
    const struct tensor *bias;    // NT: added to every row; TN: column sums of A go there
    const struct tensor *aux;     // what the epilogue reads or writes, by its kind
    struct dim rows;              // of A
    uint32_t a_row, b_row, c_row; // first rows, for stretches of a tensor; a_row not in TN
    uint32_t epilogue;            // GEMM_PLAIN ...
    uint32_t accumulate;          // an ACCUMULATE_ mode, of C
    uint32_t accumulate_bias;     // and of the bias in TN
    uint32_t forced_tile;         // 0: what suits the device; else 1 + one of ops/tiles.h
};

// C [M, N] = A B, by layout NT: A [M, K], B [N, K]; NN: A [M, K], B [K, N]; TN: A [K, M], B [K, N].
// K of A's columns must be B's, unchecked: operators check shapes when they are built.
enum vks_status matmul_record(struct recorder *recorder, const struct matmul *matmul);

#endif
