// Copies to where the host reads, or to memory that outlives the program.
#ifndef OPS_COPY_H
#define OPS_COPY_H

#include "graph/graph.h"

// An output that holds a copy of x, whatever its shape.
struct tensor *op_copy_out(struct graph *graph, struct tensor *x);

// Copies x, at full capacity, to a tensor of the same capacity and columns.
void op_copy_to(struct graph *graph, struct tensor *x, struct tensor *to);

#endif
