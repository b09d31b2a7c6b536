// Translation: greedy and beam search with a key-value cache; scoring of given translations.
#ifndef VKSEQ_TRANSLATOR_H
#define VKSEQ_TRANSLATOR_H

#include "vkseq/model.h"
#include "vkseq/shortlist.h"
#include "vkseq/tokenizer.h"

#ifdef __cplusplus
extern "C" {
#endif

// From what part of a step's probabilities a token is drawn.
enum vks_sampling {
    VKS_SAMPLING_NONE,    // nothing is drawn: the most probable translation is searched for
    VKS_SAMPLING_FULL,    // all of it
    VKS_SAMPLING_TOP_K,   // the sampling_k most probable tokens
    VKS_SAMPLING_NUCLEUS, // the fewest tokens that have the probability sampling_mass together
};

enum { VKS_MAX_MODELS = 8 };

// How far a call of vks_translate is, as it is told after each step of decoding.
struct vks_progress {
    size_t line; // the first line under way, from 0; if none is, one that was done in this step
    // Its translation so far, UTF-8 without cut characters; borrowed until the function returns.
    // It grows from step to step. NULL with a beam or several draws: what is best is known at the
    // end.
    const char *text;
    size_t num_done, num_lines;
};

// Zero-initialised fields mean the default in parentheses; the model's is what it says in struct
// vks_generation. docs/decoding.md has formulas.
struct vks_translator_params {
    // 1 is greedy search; at most 64 (the model's, else 4; 1 with sampling)
    uint32_t beam_size;
    enum vks_search search; // when to stop (the model's)
    // Halves are kept of keys and values too, and a copy of the weights; log probabilities are
    // float32. What the model learns later is not in the copy (VKS_FLOAT32).
    enum vks_precision precision;
    float normalize;    // scores are divided by length^normalize (the model's, else 0: not)
    bool no_normalize;  // they are not, whatever the model says
    float word_penalty; // subtracted for each target token, </s> included (0)
    uint32_t n_best;    // translations returned a line, at most beam_size (1)
    // Longest translation: in source tokens (3), and in tokens (the model's, else as many as fit)
    float max_length_factor;
    uint32_t max_target_length;
    // Longer lines are cut into parts, in tokens: at ends of sentences, else of clauses, else of
    // words; their translations are joined (1000; what positions and translations are limited to).
    uint32_t max_length;
    bool split_sentences; // translate every sentence of a line by itself (false)
    uint32_t mini_batch;  // sentences decoded at once (by beam size and memory)
    // MiB of device memory for keys and values of hypotheses: as many sentences are decoded at once
    // as these hold (512, and at most a quarter of the device's memory).
    uint32_t workspace;
    // What may follow.
    uint32_t min_length;      // tokens before </s>, at least (the model's)
    uint32_t no_repeat_ngram; // sequences of that many tokens occur once (the model's)
    // Log probabilities of tokens that were there are multiplied with it (the model's, else 1)
    float repetition_penalty;
    const char *const *suppressed; // [num_suppressed] words that no translation has; copied
    size_t num_suppressed;
    // Sampling: beam_size translations are drawn, each by itself. A line's draws are a function of
    // its tokens and the seed.
    enum vks_sampling sampling;
    uint32_t sampling_k; // (10)
    float sampling_mass; // (0.9)
    float temperature;   // logits are divided by it (1)
    uint32_t seed;
    // Codes of the tokenizer's languages; copied. NULL: what the model directory says, if it does.
    const char *source_language, *target_language;
    // Where a translation has <unk>, its text has the source token that it comes from most (false).
    bool replace_unknowns;
    bool word_scores; // hypotheses have the log probability of each token (false)
    bool alignment;   // hypotheses have an alignment (false)
    // More models of the same vocabulary; log probabilities are summed with weights.
    struct vks_model *const *more_models; // [num_more_models]; borrowed while the translator lives
    size_t num_more_models;               // under VKS_MAX_MODELS
    const float *weights;                 // of the first model and of these; copied (1 each)
    // Which tokens translations may have; borrowed while the translator lives. NULL: all.
    const struct vks_shortlist *shortlist;
    // Called after each step of vks_translate and vks_translate_from, by the thread that called
    // these. False ends the work: they return VKS_ERR_CANCELLED, and the translator can be used
    // again. It must not use the translator itself (NULL: not called).
    bool (*observe)(void *user, const struct vks_progress *progress);
    void *observe_user;
    const struct vks_log *log;
};

struct vks_hypothesis {
    char *text; // UTF-8, NUL-terminated
    // Placeholders of the line are not there, or not as often. Only models that mask them find out;
    // docs/decoding.md says which these are.
    bool placeholders_lost;
    uint32_t *ids; // [num_ids], without </s>
    size_t num_ids;
    float log_prob; // sum over tokens, </s> included, natural logarithm
    float score;    // log_prob with penalty and normalisation
    // With word_scores: what each token adds to log_prob, </s> of each part included.
    float *word_scores; // [num_word_scores]
    size_t num_word_scores;
    // With more models, or a weight: the sum by each model alone.
    float *model_log_probs; // [num_models]
    size_t num_models;
    // With alignment: how much of each target token comes from each of the translation's source
    // tokens; rows sum to 1.
    float *alignment; // [num_ids, num_source_ids]
};

struct vks_translation {
    struct vks_hypothesis *hypotheses; // best first
    size_t num_hypotheses;
    uint32_t *source_ids; // [num_source_ids], with alignment only; </s> of each part included
    size_t num_source_ids;
};

struct vks_translator;

// model, tokenizer and log: borrowed while the translator lives.
// Errors: VKS_ERR_ARGUMENT (vocabulary and models do not belong together, a value out of range, a
// language that is unknown or missing), VKS_ERR_OOM, VKS_ERR_DEVICE_OOM, VKS_ERR_DEVICE_LOST.
VKS_API VKS_MUST_CHECK enum vks_status
vks_translator_create(struct vks_model *model, const struct vks_tokenizer *tokenizer,
                      const struct vks_translator_params *params,
                      struct vks_translator **translator);

// Translates lines of text, in any number; an empty line gives an empty translation. *translations
// is [num_lines], in order; free with vks_translations_free. A line has the same translation and
// score, bit for bit, alone or among others. A line that was cut into parts has one hypothesis,
// with the sums of their figures. Messages count lines from the first call on. Errors:
// VKS_ERR_FORMAT for text that is not UTF-8, VKS_ERR_CANCELLED by `observe`, VKS_ERR_OOM,
// VKS_ERR_DEVICE_LOST.
VKS_API VKS_MUST_CHECK enum vks_status vks_translate(struct vks_translator *translator,
                                                     const char *const *lines, size_t num_lines,
                                                     struct vks_translation **translations);
// The same with translations that begin with given texts, prefixes [num_lines]; an empty one leaves
// the line free. A text ends where a word does. What leaves no room for a token is cut off, with a
// warning. prefixes NULL: none.
VKS_API VKS_MUST_CHECK enum vks_status vks_translate_from(struct vks_translator *translator,
                                                          const char *const *lines,
                                                          const char *const *prefixes,
                                                          size_t num_lines,
                                                          struct vks_translation **translations);
// Ways to go on after the beginning of a line's translation: the `num` most probable tokens that
// may follow it, at most 64, each with its most probable continuation, token by token.
// *translations is one translation; its hypotheses come in the order of these tokens'
// probabilities, which are exp(word_scores[*position]); token ids[*position] is </s> where a
// hypothesis has no such id. Free with vks_translations_free. Sampling and the rule of the search
// do not count here. Errors: VKS_ERR_ARGUMENT for a line or beginning that is too long, those of
// vks_translate. prefix: NULL is an empty one.
VKS_API VKS_MUST_CHECK enum vks_status
vks_translate_alternatives(struct vks_translator *translator, const char *line, const char *prefix,
                           uint32_t num, struct vks_translation **translations, size_t *position);
VKS_API void vks_translations_free(struct vks_translation *translations, size_t num_lines);
VKS_API void vks_translator_destroy(struct vks_translator **translator);

struct vks_scorer;

struct vks_scorer_params {
    enum vks_precision precision;
    // Codes of the tokenizer's languages; borrowed while the scorer lives. NULL: what the model
    // directory says, if it does.
    const char *source_language, *target_language;
    const struct vks_log *log;
};

// Scores given translations by teacher forcing. model, tokenizer and log: borrowed while the scorer
// lives. Errors: VKS_ERR_ARGUMENT (vocabulary and model do not belong together), VKS_ERR_OOM.
VKS_API VKS_MUST_CHECK enum vks_status vks_scorer_create(struct vks_model *model,
                                                         const struct vks_tokenizer *tokenizer,
                                                         const struct vks_scorer_params *params,
                                                         struct vks_scorer **scorer);
// log_probs f32 [num_lines]: sum of log p(target | source) over the target's tokens, </s> included,
// its language not.
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
