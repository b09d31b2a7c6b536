// What may follow in a translation, by logits changed before the best are looked for.
#ifndef OPS_CONSTRAIN_H
#define OPS_CONSTRAIN_H

#include "constrain_interface.h"
#include "ops/beam_tables.h"

struct constrain_params {
    struct tensor *logits;   // f32 [R, V]: changed
    struct tensor *log_sums; // f32 [R, 1]
    const struct beam_tables *tables;
    // u32 [W, 1]: where each suppressed sequence is and how many tokens it has, at least one; these
    // sequences; tokens that sentences force.
    struct tensor *words;
    uint32_t num_suppressed;
    uint32_t num_given; // of the tokens that sentences force, those that add 0 to a sum
    bool forces_eos;    // the last token that is possible is </s>, and adds 0
    uint32_t eos_id, min_length, no_repeat_ngram; // 0: no such rule
    float repetition_penalty;                     // of log probabilities; 1: none
    uint32_t penalty_kind;                        // PENALTY_OF_...
};

// Bans tokens by a logit that op_top_k and op_sample do not take; while a sentence has forced
// tokens, all others, and nothing else is done.
void op_constrain(struct graph *graph, const struct constrain_params *params);

#endif
