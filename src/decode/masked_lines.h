// Lines whose placeholders are masked while they are translated, for models that know the symbols.
#ifndef DECODE_MASKED_LINES_H
#define DECODE_MASKED_LINES_H

#include "vkseq/translator.h"

struct placeholders;

// Zero-initialised is empty; free with masked_lines_free.
struct masked_lines {
    char **lines;               // [num], owned: with symbols
    struct placeholders *found; // [num], owned: in the lines as they were, which are borrowed
    size_t num;
};

// Masks lines. Errors: VKS_ERR_OOM; masked is empty then.
VKS_MUST_CHECK enum vks_status masked_lines_make(const char *const *lines, size_t num,
                                                 struct masked_lines *masked);

// Texts that translations of the lines begin with, with the lines' symbols; *prefixes [num] and its
// texts are owned by the caller (masked_texts_free). Errors: VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status masked_lines_mask_prefixes(const struct masked_lines *masked,
                                                          const char *const *prefixes,
                                                          char ***result);

// Puts placeholders back into a text of one of the lines. *text: owned by the caller (free), before
// and after. Errors: VKS_ERR_OOM; the text is as it was.
VKS_MUST_CHECK enum vks_status masked_lines_restore_text(const struct masked_lines *masked,
                                                         size_t line, char **text, bool *is_whole);

// Puts placeholders back into all texts of the lines' translations [num], and says which have lost
// some. Errors: VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status masked_lines_restore(const struct masked_lines *masked,
                                                    struct vks_translation *translations);

void masked_lines_free(struct masked_lines *masked);
void masked_texts_free(char **texts, size_t num);

#endif
