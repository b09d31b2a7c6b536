// Position-wise feed-forward block.
#ifndef OPS_FEED_FORWARD_H
#define OPS_FEED_FORWARD_H

#include "graph/graph.h"

enum activation { ACTIVATION_RELU, ACTIVATION_GELU, ACTIVATION_SILU };

struct feed_forward_params {
    struct tensor *x;               // f32 [N, D]
    struct tensor *weight1, *bias1; // f32 [F, D], [1, F]
    struct tensor *weight2, *bias2; // f32 [D, F], [1, D]
    enum activation activation;
    float dropout; // of what the activation gives, 0 to under 1
};

// y = dropout(act(x W1^T + b1)) W2^T + b2, f32 [N, D]; NULL when the graph fails (VKS_ERR_SHAPE).
// Source: Vaswani et al. 2017, arXiv:1706.03762, eq. 2.
struct tensor *op_feed_forward(struct graph *graph, const struct feed_forward_params *params);

#endif
