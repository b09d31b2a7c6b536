// Vocabularies of whole words as SentencePiece models, so that whatever takes one takes them.
#ifndef TEXT_SPM_WORDS_H
#define TEXT_SPM_WORDS_H

#include "vkseq/base.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

// A word of a vocabulary, as the model has it: with the mark of a blank before it.
#define SPM_WORD_MARK "\xe2\x96\x81"

// The bytes of a SentencePiece model that cuts text at blanks and changes nothing of it: </s>,
// <unk>, and the words, each with its mark. *model is allocated and owned by the caller (free).
//   words  [num_words]; NULL ones are left out
// Errors: VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status spm_words_model(const char *const *words, size_t num_words,
                                               void **model, size_t *num_bytes);

// Whether a model is one of these. Its text is then cut at blanks alone: SentencePiece would make
// one piece of several unknown words that follow each other.
bool spm_words_is(const void *model, size_t num_bytes);

#ifdef __cplusplus
}
#endif

#endif
