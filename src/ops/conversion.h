// Matrices with elements of another type.
#ifndef OPS_CONVERSION_H
#define OPS_CONVERSION_H

#include "graph/graph.h"

// y = x with elements of a type, rounded to the nearest; x itself if it has them.
//   x  f32|f16|bf16 [N, D], D > 2  read
// The gradient of y is that of x: what comes back to either adds up in float32.
// Returns y, or NULL when the graph fails.
struct tensor *op_convert(struct graph *graph, struct tensor *x, uint32_t element);
// The same into a tensor of x's shape that is there, without a gradient.
void op_convert_to(struct graph *graph, struct tensor *x, struct tensor *to);

#endif
