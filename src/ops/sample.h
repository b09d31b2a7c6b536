// Tokens drawn by their probabilities.
#ifndef OPS_SAMPLE_H
#define OPS_SAMPLE_H

#include "ops/beam_tables.h"
#include "sample_interface.h"

struct sample_params {
    struct tensor *logits; // f32 [R, V]
    const struct beam_tables *tables;
    uint32_t pad;  // never drawn
    uint32_t from; // SAMPLE_FROM_...
    uint32_t k;    // SAMPLE_FROM_TOP_K
    float mass;    // SAMPLE_FROM_NUCLEUS, over 0, at most 1
    float temperature;
    uint32_t seed;
};

// A token for each row and its logit, as op_top_k gives its best one: u32 [R, 2]. Draws are a
// function of seed, the sentence's hash, the hypothesis's number among the sentence's, the step and
// the token.
struct tensor *op_sample(struct graph *graph, const struct sample_params *params);

#endif
