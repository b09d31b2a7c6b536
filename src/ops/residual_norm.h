// Residual addition with dropout, and layer normalisation.
#ifndef OPS_RESIDUAL_NORM_H
#define OPS_RESIDUAL_NORM_H

#include "graph/graph.h"

struct residual_norm_params {
    struct tensor *x;            // f32 [N, D]: the residual stream
    struct tensor *f;            // f32 [N, D]: what a block adds to it; NULL: nothing
    struct tensor *gamma, *beta; // f32 [1, D]
    float eps;                   // added to the variance, > 0
    float dropout;               // of f, 0 to under 1
    bool keeps_stream;           // whether anything but the normalisation reads s
};

// s = x + dropout(f), y = gamma (s - mean) / sqrt(variance + eps) + beta, over the columns.
// s and y are f32 [N, D]; s is x itself when f is NULL. D is a multiple of 4. NULL when the graph
// fails (VKS_ERR_SHAPE).
// Sources: Ba et al. 2016, arXiv:1607.06450, eq. 4; Vaswani et al. 2017, arXiv:1706.03762, 5.4.
void op_residual_norm(struct graph *graph, const struct residual_norm_params *params,
                      struct tensor **s, struct tensor **y);

#endif
