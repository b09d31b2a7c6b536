// Log probabilities out of logits, in steps of decoding: of one model, or of several together.
#ifndef OPS_LOG_PROBS_H
#define OPS_LOG_PROBS_H

#include "graph/graph.h"

// log(sum(exp(logit))) over each row of f32 [R, V] without `pad`, f32 [R, 1].
struct tensor *op_log_sum_exp(struct graph *graph, struct tensor *logits, uint32_t pad);

// The weighted sum over models of logits - log sum. The first model's goes to the place of its
// logits; each following one's is added to `sum`, which is what the call before gave.
//   logits   f32 [R, V]  read; overwritten where sum is NULL
//   log_sums f32 [R, 1]  read
//   sum      f32 [R, V]  added to; NULL: of the first model
// Returns the sum.
struct tensor *op_combine(struct graph *graph, struct tensor *logits, struct tensor *log_sums,
                          float weight, struct tensor *sum);

#endif
