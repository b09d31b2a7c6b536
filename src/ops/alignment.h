// The attention of one head as a matrix, and its loss against given alignments.
#ifndef OPS_ALIGNMENT_H
#define OPS_ALIGNMENT_H

#include "alignment_interface.h"
#include "graph/graph.h"

struct attention_weights_params {
    struct tensor *q, *kv;       // of the attention: f32 [N, >= D], [M, >= 2 D]
    uint32_t q_col, k_col;       // where the head's queries and keys begin; multiples of 4
    uint32_t head_width;         // a multiple of 4, at most 128
    uint32_t max_keys;           // S: most keys that a query sees
    struct tensor *query_blocks; // as in attention_blocks, not causal
    struct tensor *key_blocks;   // for gradients only
};

// softmax(Q K^T / sqrt(head width)) of one head, f32 [N, S]: column i of a query is the i-th key of
// its sequence, and 0 where there are no more. With gradients it must come before the attention
// that has these queries and keys, since it adds to their gradients. NULL when the graph fails
// (VKS_ERR_SHAPE, VKS_ERR_UNSUPPORTED for the head width).
struct tensor *op_attention_weights(struct graph *graph,
                                    const struct attention_weights_params *params);

struct alignment_loss_params {
    struct tensor *weights; // f32 [N, S]
    struct tensor *links;   // u32 [N, words of S bits]: bit s % 32 of word s / 32 links with key s
    uint32_t cost;          // ALIGNMENT_COST_CE, ...
    float weight;           // of the gradient
    struct tensor *state;   // the optimiser's, with the gradient's cost scale; NULL: 1
};

// Words of a row of links.
static inline uint32_t alignment_link_words(uint32_t max_keys) {
    return (max_keys + 31) / 32;
}

// The loss of every row, f32 [N, 1]; of a row without links 0. Where the weights need a gradient,
// they get that of the sum of the losses times weight and HEADER_LOSS_SCALE. NULL when the graph
// fails (VKS_ERR_SHAPE).
// Source: Chen et al. 2016, arXiv:1607.01628, section 3.
struct tensor *op_alignment_loss(struct graph *graph, const struct alignment_loss_params *params);

#endif
