// Log probabilities out of logits, in steps of decoding: of one model, or of several together.
#ifndef OPS_LOG_PROBS_H
#define OPS_LOG_PROBS_H

#include "graph/graph.h"

// log(sum(exp(logit))) over each row of f32 [R, V] without `pad`, f32 [R, 1].
struct tensor *op_log_sum_exp(struct graph *graph, struct tensor *logits, uint32_t pad);

// The weighted sum over models of logits - log sum, f32 [R, V]. Each model's is added to `sum`,
// which is what the call before gave; NULL for the first.
//   logits   f32 [R, V]  read
//   log_sums f32 [R, 1]  read
//   sum      f32 [R, V]  added to
struct tensor *op_combine(struct graph *graph, struct tensor *logits, struct tensor *log_sums,
                          float weight, struct tensor *sum);

#endif
