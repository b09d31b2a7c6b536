// The tokens that a sentence's translation may have, before log probabilities are worked out.
#ifndef OPS_ALLOW_H
#define OPS_ALLOW_H

#include "ops/beam_tables.h"
#include "allow_interface.h"

// Bans tokens by a logit that op_top_k and op_sample do not take, so that the others have all of
// the probability.
//   logits  f32 [R, V]  changed
//   words   u32 [W, 1]  read: a set of V bits for each sentence, from SENTENCE_SET on
void op_allow(struct graph *graph, struct tensor *logits, const struct beam_tables *tables,
              struct tensor *words);

#endif
