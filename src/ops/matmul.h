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
    const struct tensor *slices;  // of matmul_slices, where it gave any
    struct dim rows;              // of A
    uint32_t a_row, b_row, c_row; // first rows, for stretches of a tensor; a_row not in TN
    uint32_t epilogue;            // GEMM_PLAIN ...
    uint32_t accumulate;          // an ACCUMULATE_ mode, of C
    uint32_t accumulate_bias;     // and of the bias in TN
    uint32_t forced_tile;         // 0: what suits the device; else 1 + one of ops/tiles.h
};

// Where TN, a gradient of weights over `num_rows` at most, is to be added up from slices of the
// rows: room for them, an activation of the node that records the product; for one at a time of
// several products. NULL where none of the gradients (NULL: none) takes slices.
//
// How many there are follows from shapes alone, so the sum has the same order whatever the device
// and the tile: slices of 1,024 rows or more, at most as many as take 16 MiB (256 blocks of 128 x
// 128), none for a C of which two would take more. So a batch of up to 1,024 rows is one sum.
struct tensor *matmul_slices(struct graph *graph, uint32_t num_rows, const struct tensor *gradient,
                             const struct tensor *other);

// C [M, N] = A B, by layout NT: A [M, K], B [N, K]; NN: A [M, K], B [K, N]; TN: A [K, M], B [K, N].
// K of A's columns must be B's, unchecked: operators check shapes when they are built.
enum vks_status matmul_record(struct recorder *recorder, const struct matmul *matmul);

#endif
