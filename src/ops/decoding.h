// What only a step of decoding needs: filling the cache, and the best symbols of a row.
#ifndef OPS_DECODING_H
#define OPS_DECODING_H

#include "graph/graph.h"
#include "top_k_interface.h"

// to[places[row]] = columns from_col .. of from[row], as many as `to` has; rows whose place is not
// under M go nowhere.
//   from f32|f16|bf16 [R, >= C], places u32 [R, 1], to f32|f16|bf16 [M, C]; columns are multiples
//   of 4.
void op_scatter_rows(struct graph *graph, struct tensor *from, uint32_t from_col,
                     struct tensor *places, struct tensor *to);

// Stretches of TOP_K_STRETCH columns that a row of `vocab` logits has.
uint32_t top_k_num_stretches(uint32_t vocab);

// For each row and stretch of logits f32 [R, V]: k pairs (logit, id), best first; `pad` takes no
// part. Where a stretch has fewer than k symbols, ids are UINT32_MAX. 32-bit words
// [R, stretches * 2 k].
struct tensor *op_top_k(struct graph *graph, struct tensor *logits, uint32_t pad, uint32_t k);

#endif
