// Translation of token ids: sentences in batches of like length, each through its own beam search.
#ifndef DECODE_SEARCH_H
#define DECODE_SEARCH_H

#include "decode/step_decoder.h"

// Token ids, </s> included where the sentence is not empty.
struct sentence {
    uint32_t *ids; // owned
    uint32_t num_ids;
};

struct search {
    struct vks_translator_params params; // defaults filled in
    struct beam_params beam;
    struct step_decoder decoder;
    const struct vks_log *log; // borrowed
    uint32_t max_sentences;    // at once
};

// Puts defaults in the place of zeros.
// Errors: VKS_ERR_ARGUMENT for parameters out of range (the log says which).
enum vks_status search_complete_params(struct vks_translator_params *params);

// params: complete. model: borrowed while the search lives.
// Errors: VKS_ERR_DEVICE_OOM when the device has no room for one step of the beam.
enum vks_status search_init(struct vks_model *model, const struct vks_translator_params *params,
                            struct search *search);
void search_finish(struct search *search);

// Tokens, </s> included, that a source sentence may have.
uint32_t search_max_source(const struct search *search);

// translations [num_sentences], zeroed, gets the n best of every sentence, the texts NULL; those of
// an empty sentence have none. Ids must be below the source vocabulary, lengths at most
// search_max_source. Errors: VKS_ERR_DIVERGED when the model gives no finite probabilities,
// VKS_ERR_OOM, VKS_ERR_DEVICE_OOM, VKS_ERR_DEVICE_LOST; translations may be filled in part.
enum vks_status search_run(struct search *search, const struct sentence *sentences,
                           size_t num_sentences, struct vks_translation *translations);

#endif
