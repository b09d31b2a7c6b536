// The SentencePiece models of a tokenizer.
#ifndef TEXT_TOKENIZER_SPM_H
#define TEXT_TOKENIZER_SPM_H

#include "text/spm.h"
#include "vkseq/tokenizer.h"

// Borrowed while the tokenizer lives.
const struct spm *tokenizer_spm(const struct vks_tokenizer *tokenizer, enum vks_side side);

#endif
