// Words that no translation has, as sequences of tokens.
#ifndef DECODE_SUPPRESSED_WORDS_H
#define DECODE_SUPPRESSED_WORDS_H

#include "decode/step_decoder.h"
#include "vkseq/tokenizer.h"

// Zero-initialised is empty.
struct suppressed_words {
    struct token_list *items; // [num], owned, with the ids
    uint32_t num;
};

// The words' sequences, as they begin a word, and those that also stand right behind another text.
// "<unk>" is the token. After a failure there is something to finish. Errors: VKS_ERR_FORMAT for
// text that is not UTF-8, VKS_ERR_ARGUMENT for a word without tokens, VKS_ERR_OOM.
enum vks_status suppressed_words_init(const struct vks_tokenizer *tokenizer,
                                      const char *const *words, size_t num_words,
                                      const struct vks_log *log, struct suppressed_words *result);
void suppressed_words_finish(struct suppressed_words *words);

#endif
