// Beam search for one sentence, on the host: which hypotheses go on, which have ended.
//
// As in Marian: each step keeps the best continuations of all hypotheses, as many as the beam has
// not finished yet; those that end with </s> leave it. The order is by log-probability, then
// hypothesis, then token, so that it never depends on anything else.
#ifndef DECODE_BEAM_H
#define DECODE_BEAM_H

#include "vkseq/translator.h"

enum { BEAM_MAX_SIZE = 64, BEAM_NO_NODE = -1 };

struct beam_params {
    uint32_t beam_size; // K, 1 to BEAM_MAX_SIZE
    uint32_t n_best;    // hypotheses given back, at most K
    float normalize, word_penalty;
    uint32_t eos_id;
};

// What op_top_k gave for the rows of a step.
struct top_k_rows {
    const uint32_t *words;
    uint32_t stride; // words a row
    uint32_t num_stretches, k;
};

// A token of a hypothesis, and the token before it.
struct beam_node {
    uint32_t token;
    int32_t parent; // BEAM_NO_NODE: it is the first
};

struct hypothesis {
    double log_prob;
    int32_t node;    // of the last token, </s> left out
    uint32_t parent; // which of the step before it continues
    uint32_t length; // tokens, </s> included
};

struct beam {
    const struct beam_params *params; // borrowed
    uint32_t num_steps, max_steps;
    struct beam_node *nodes; // owned
    size_t num_nodes, nodes_capacity;
    struct hypothesis alive[BEAM_MAX_SIZE], finished[BEAM_MAX_SIZE];
    uint32_t num_alive, num_finished;
};

// One hypothesis without tokens. max_steps: tokens a translation may have, </s> included, > 0.
void beam_init(const struct beam_params *params, uint32_t max_steps, struct beam *beam);
void beam_finish(struct beam *beam);

// The last token of a hypothesis that is alive; start_id when it has none.
uint32_t beam_token(const struct beam *beam, uint32_t hypothesis_idx, uint32_t start_id);

// One step further: row first_row + i holds the best tokens that may follow hypothesis i. What is
// alive after the last step has ended too. When nothing is alive, the search is over.
// Errors: VKS_ERR_DIVERGED when no token has a finite probability, VKS_ERR_OOM.
enum vks_status beam_advance(struct beam *beam, const struct top_k_rows *rows, uint32_t first_row);

// The best finished hypotheses by score, the texts NULL; what finished first wins among equals.
// Errors: VKS_ERR_OOM.
enum vks_status beam_results(const struct beam *beam, struct vks_translation *translation);

#endif
