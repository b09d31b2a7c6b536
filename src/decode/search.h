// Translation of token ids: sentences in batches of like length, each through its own beam search.
#ifndef DECODE_SEARCH_H
#define DECODE_SEARCH_H

#include "decode/step_decoder.h"

// Token ids, </s> included where the sentence is not empty.
struct sentence {
    uint32_t *ids; // owned
    uint32_t num_ids;
    uint64_t line;            // its number in messages, from 1
    struct token_list prefix; // what the translation begins with
};

// A step of the sentences that took part in it. step_log_probs' rows are those of the beams'
// hypotheses that are alive, in order.
struct search_step {
    const struct beam *const *beams; // [num_sentences]
    const size_t *sentence_indices;  // [num_sentences]
    uint32_t num_sentences;
    struct step_log_probs log_probs;
};

// Either function may be NULL.
struct search_observer {
    // Before the beams take a step: for tests that choose for themselves, of a decoder with log
    // probabilities.
    void (*observe)(void *user, const struct search_step *step);
    void *user;
    // And when they have, without log probabilities; sentences that are done have their
    // translations. False ends the search.
    bool (*may_go_on)(void *user, const struct search_step *step);
};

struct search {
    struct vks_translator_params params; // defaults filled in
    struct beam_params beam;
    struct step_decoder decoder;
    const struct vks_log *log; // borrowed
    // At once: sentences, their tokens, and rows of the cache; one sentence may have more.
    uint32_t max_sentences, max_tokens, max_cache_rows;
    const struct search_observer *observer; // borrowed; NULL: none
};

struct search_params {
    struct vks_model *const *models; // [num_models]; borrowed while the search lives
    uint32_t num_models;
    struct half_weights *const *halves;             // [num_models], likewise; NULL: float32
    const struct vks_translator_params *translator; // complete
    const struct token_list *suppressed;            // [num_suppressed], none empty
    uint32_t num_suppressed;
    // What translations begin with, at no cost to them; NULL: what the model says.
    const uint32_t *first_id;
    // The first token that a sentence does not force makes beam_size hypotheses of one, which then
    // go on by themselves.
    bool branches;
};

// Puts defaults in the place of zeros: the model's, if it has any.
// Errors: VKS_ERR_ARGUMENT for parameters out of range (the log says which).
enum vks_status search_complete_params(const struct vks_model_config *model,
                                       struct vks_translator_params *params);

// Errors: VKS_ERR_DEVICE_OOM when the device has no room for one step of the beam, VKS_ERR_OOM.
enum vks_status search_init(const struct search_params *params, struct search *search);
void search_finish(struct search *search);

// Tokens, </s> included, that a source sentence may have.
uint32_t search_max_source(const struct search *search);

// Warns that the translation of a sentence may have ended before its time.
void search_warn_if_cut(const struct search *search, const struct sentence *sentence,
                        const struct vks_translation *translation);

// translations [num_sentences], zeroed, gets the n best of every sentence, the texts NULL; those of
// an empty sentence have none. Ids must be below the source vocabulary, lengths at most
// search_max_source. A prefix that leaves no room for a token is cut, with a warning. Errors:
// VKS_ERR_DIVERGED when the model gives no finite probabilities, VKS_ERR_CANCELLED by the observer,
// VKS_ERR_OOM, VKS_ERR_DEVICE_OOM, VKS_ERR_DEVICE_LOST; translations may be filled in part.
enum vks_status search_run(struct search *search, const struct sentence *sentences,
                           size_t num_sentences, struct vks_translation *translations);

#endif
