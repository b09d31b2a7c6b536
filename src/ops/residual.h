// Residual addition with dropout, for where no normalisation follows.
#ifndef OPS_RESIDUAL_H
#define OPS_RESIDUAL_H

#include "graph/graph.h"

// s = x + dropout(f), f32 [N, D] as x and f; D is a multiple of 4. NULL when the graph fails
// (VKS_ERR_SHAPE). Source: Vaswani et al. 2017, arXiv:1706.03762, 5.4.
struct tensor *op_residual(struct graph *graph, struct tensor *x, struct tensor *f, float dropout);

#endif
