// The probabilities of an attention that stands in a graph, for people to look at.
#ifndef OPS_ATTENTION_PROBE_H
#define OPS_ATTENTION_PROBE_H

#include "graph/graph.h"

struct attention_probe_params {
    struct tensor *q, *kv, *blocks; // as in struct attention_params; blocks: of queries
    uint32_t q_col, k_col, width, num_heads;
    bool causal;
    uint32_t first_head, num_mean_heads; // the mean over these
    uint32_t max_keys;                   // of a query
};

// f32 [N, max_keys], an output: column j of a query's row is the probability of the j-th key of its
// sequence, 0 of keys that it does not see.
struct tensor *op_attention_probe(struct graph *graph, const struct attention_probe_params *params);

#endif
