// The hypotheses of one sentence, put together from what the device tells of its steps: it chooses
// (shaders/beam_select.comp), the host remembers.
#ifndef DECODE_BEAM_H
#define DECODE_BEAM_H

#include "vkseq/translator.h"

enum { BEAM_MAX_SIZE = 64, BEAM_NO_NODE = -1 };

// What a step did to the sentence: beam_interface.h. parts: of an ensemble, what each of num_parts
// models says of each event's token.
struct beam_events {
    const uint32_t *words;
    const float *parts[VKS_MAX_MODELS];
    uint32_t num_parts;
};

struct beam_params {
    uint32_t beam_size; // K, 1 to BEAM_MAX_SIZE
    uint32_t n_best;    // hypotheses given back, at most K
    float normalize, word_penalty;
    uint32_t eos_id;
    uint32_t num_given; // first tokens, of which models say nothing in results
    bool shrinks;     // an ended hypothesis leaves its place in the beam empty
    bool word_scores; // results have the log probability of each token
};

// A token of a hypothesis, and the token before it.
struct beam_node {
    uint32_t token;
    int32_t parent; // BEAM_NO_NODE: it is the first
    float log_prob;
};

struct hypothesis {
    float log_prob, score;
    int32_t node;                // of the last token, </s> left out
    uint32_t length;             // tokens, </s> included
    bool has_eos;                // ended with </s>
    float eos_log_prob;          // where it did
    float parts[VKS_MAX_MODELS]; // sums of an ensemble's models
};

struct beam {
    const struct beam_params *params; // borrowed
    struct beam_node *nodes;          // owned
    size_t num_nodes, nodes_capacity;
    struct hypothesis alive[BEAM_MAX_SIZE];
    struct hypothesis ended[BEAM_MAX_SIZE]; // the best, best first
    uint32_t num_alive, num_ended;
    uint32_t num_parts; // of hypotheses
};

// A score is (sum of log probabilities - terms[0]) * terms[1], in float32 as on the device:
// word_penalty times tokens, and tokens to the power of -normalize.
void beam_length_terms(float normalize, float word_penalty, uint32_t num_tokens, float terms[2]);

// num_alive hypotheses without tokens.
void beam_init(const struct beam_params *params, uint32_t num_alive, struct beam *beam);
void beam_finish(struct beam *beam);

// Hypotheses that may be alive after `num_steps` more steps.
uint32_t beam_max_alive(const struct beam *beam, uint32_t num_steps);

// One step further. When nothing is alive, the search is over. Errors: VKS_ERR_DIVERGED when
// probabilities are not finite, VKS_ERR_OOM.
enum vks_status beam_apply(struct beam *beam, const struct beam_events *events);

// The tokens of a hypothesis, in order, to ids [capacity]; returns how many it has.
uint32_t beam_tokens(const struct beam *beam, const struct hypothesis *hypothesis, uint32_t *ids,
                     uint32_t capacity);

// The best ended hypotheses by score, the texts NULL; what ended first wins among equals.
// Errors: VKS_ERR_OOM.
enum vks_status beam_results(const struct beam *beam, struct vks_translation *translation);

#endif
