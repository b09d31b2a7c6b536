// Simpler simple recurrent units: what decoders of Marian's students have in the place of
// self-attention.
#ifndef OPS_SSRU_H
#define OPS_SSRU_H

#include "graph/graph.h"

// c[t] = g c[t - 1] + (1 - g) x[t] with g = sigmoid(f[t]), y[t] = max(c[t], 0), over the rows of
// each packed sequence, from c = 0 on; y is f32 [N, D].
//   x, f       f32 [N, D]  read; D is a multiple of 4
//   sequences  u32 [B, 2]  read: first row, end of rows; every row is in one
// NULL when the graph fails (VKS_ERR_SHAPE).
// Source: Kim et al. 2019, D19-5632, section 3.1.
struct tensor *op_ssru(struct graph *graph, struct tensor *x, struct tensor *f,
                       struct tensor *sequences);

struct ssru_step_params {
    struct tensor *x, *f;      // f32 [R, D]
    struct tensor *ranges;     // u32 [R, 4]: -, -, -, steps so far with this one
    struct tensor *cache_rows; // u32 [R, T]: rows of the cache by step
    struct tensor *places;     // u32 [R, 1]: row of the cache that c goes to
    struct tensor *cache;      // f32 [M, D]: c of hypotheses and steps
};

// One row a hypothesis, as in a step of decoding; f32 [R, D], without gradient.
struct tensor *op_ssru_step(struct graph *graph, const struct ssru_step_params *params);

#endif
