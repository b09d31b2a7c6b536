// Linear layer.
#ifndef OPS_LINEAR_H
#define OPS_LINEAR_H

#include "graph/graph.h"

// y = x W^T + b.
//   x       f32 [N, I]  read
//   weight  f32 [O, I]  read
//   bias    f32 [1, O]  read; may be NULL
// Returns y f32 [N, O], or NULL when the graph fails (VKS_ERR_SHAPE if the shapes do not fit).
struct tensor *op_linear(struct graph *graph, struct tensor *x, struct tensor *weight,
                         struct tensor *bias);

#endif
