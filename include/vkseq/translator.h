// Translation: greedy and beam search with a key-value cache; scoring of given translations.
#ifndef VKSEQ_TRANSLATOR_H
#define VKSEQ_TRANSLATOR_H

#include "vkseq/model.h"
#include "vkseq/tokenizer.h"

#ifdef __cplusplus
extern "C" {
#endif

// Zero-initialised fields mean the default in parentheses.
struct vks_translator_params {
    uint32_t beam_size;      // 1 is greedy search; at most 64 (4)
    float normalize;         // scores are divided by length^normalize (0: not)
    float word_penalty;      // subtracted for each target token, </s> included (0)
    uint32_t n_best;         // translations returned a line, at most beam_size (1)
    float max_length_factor; // longest translation, in source tokens (3)
    // Longer lines are cut into parts, in tokens: at ends of sentences, else of clauses, else of
    // words; their translations are joined (1000).
    uint32_t max_length;
    bool split_sentences; // translate every sentence of a line by itself (false)
    uint32_t mini_batch;  // sentences decoded at once (by beam size and memory)
    const struct vks_log *log;
};

struct vks_hypothesis {
    char *text;    // UTF-8, NUL-terminated
    uint32_t *ids; // [num_ids], without </s>
    size_t num_ids;
    float log_prob; // sum over tokens, </s> included, natural logarithm
    float score;    // log_prob with penalty and normalisation
};

struct vks_translation {
    struct vks_hypothesis *hypotheses; // best first
    size_t num_hypotheses;
};

struct vks_translator;

// model, tokenizer and log: borrowed while the translator lives.
// Errors: VKS_ERR_ARGUMENT (vocabulary and model do not belong together, beam out of range),
// VKS_ERR_OOM, VKS_ERR_DEVICE_OOM.
VKS_API VKS_MUST_CHECK enum vks_status
vks_translator_create(struct vks_model *model, const struct vks_tokenizer *tokenizer,
                      const struct vks_translator_params *params,
                      struct vks_translator **translator);

// Translates lines of text, in any number; an empty line gives an empty translation. *translations
// is [num_lines], in order; free with vks_translations_free. A line has the same translation and
// score, bit for bit, alone or among others. A line that was cut into parts has one hypothesis,
// with the sums of their figures. Messages count lines from the first call on. Errors:
// VKS_ERR_FORMAT for text that is not UTF-8, VKS_ERR_OOM, VKS_ERR_DEVICE_LOST.
VKS_API VKS_MUST_CHECK enum vks_status vks_translate(struct vks_translator *translator,
                                                     const char *const *lines, size_t num_lines,
                                                     struct vks_translation **translations);
VKS_API void vks_translations_free(struct vks_translation *translations, size_t num_lines);
VKS_API void vks_translator_destroy(struct vks_translator **translator);

struct vks_scorer;

// Scores given translations by teacher forcing.
VKS_API VKS_MUST_CHECK enum vks_status vks_scorer_create(struct vks_model *model,
                                                         const struct vks_tokenizer *tokenizer,
                                                         const struct vks_log *log,
                                                         struct vks_scorer **scorer);
// log_probs f32 [num_lines]: sum of log p(target | source) over the target's tokens, </s> included.
// num_tokens u32 [num_lines], may be NULL: how many these are. Tokens of a line after the 4,096th,
// or after what the model's positions allow, are cut off, with a warning.
VKS_API VKS_MUST_CHECK enum vks_status vks_score(struct vks_scorer *scorer,
                                                 const char *const *sources,
                                                 const char *const *targets, size_t num_lines,
                                                 float *log_probs, uint32_t *num_tokens);
VKS_API void vks_scorer_destroy(struct vks_scorer **scorer);

#ifdef __cplusplus
}
#endif
#endif
