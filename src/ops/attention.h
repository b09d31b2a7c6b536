// Multi-head scaled dot-product attention over packed sequences.
#ifndef OPS_ATTENTION_H
#define OPS_ATTENTION_H

#include "attention_interface.h"
#include "graph/graph.h"

// Which keys which queries see, as blocks that the host lists for every batch: u32 [blocks, 4].
struct attention_blocks {
    struct tensor *queries; // first query, queries (at most ATTENTION_ROWS), first key, end of keys
    struct tensor *keys;    // first key, keys, first query, end of queries; for gradients only
    bool causal;            // besides, query i does not see keys after i
};

struct attention_params {
    struct tensor *q;  // f32 [N, >= D]: queries in columns q_col ..
    struct tensor *kv; // f32 [M, >= 2 D]: keys in columns k_col .., values in v_col ..; may be q
    uint32_t q_col, k_col, v_col; // multiples of 4
    uint32_t width;               // D
    uint32_t num_heads;           // H; D / H is a multiple of 4, at most 128
    struct attention_blocks blocks;
    float dropout; // of the weights, 0 to under 1
};

// O = dropout(softmax(Q K^T / sqrt(D / H))) V for every head, f32 [N, D]; a query without keys
// gives zeros. NULL when the graph fails (VKS_ERR_SHAPE, VKS_ERR_UNSUPPORTED for the head width).
// Source: Vaswani et al. 2017, arXiv:1706.03762, eq. 1.
struct tensor *op_attention(struct graph *graph, const struct attention_params *params);

// What the nth attention was made of, in the order of the graph's nodes.
void attention_operands(const struct graph *graph, uint32_t nth, struct attention_params *params);

struct attention_step_params {
    struct tensor *q;  // f32 [R, >= D]: one query a row
    struct tensor *kv; // f32 [M, 2 D]: keys, then values
    uint32_t q_col, width, num_heads;
    struct tensor *ranges;     // u32 [R, 4]: -, -, first key, end of keys
    struct tensor *cache_rows; // u32 [R, T]: which row of kv a key number stands for; NULL: itself
};

// The same for one query a row, as in a step of decoding; f32 [R, D], without gradient.
struct tensor *op_attention_step(struct graph *graph, const struct attention_step_params *params);

#endif
