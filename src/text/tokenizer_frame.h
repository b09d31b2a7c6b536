// How a tokenizer's texts become sequences for a model, and which models it fits.
#ifndef TEXT_TOKENIZER_FRAME_H
#define TEXT_TOKENIZER_FRAME_H

#include "text/token_frame.h"
#include "vkseq/tokenizer.h"

// The frame of a side's sequences. What is not named comes from the directory.
// log: for what is wrong. Errors: VKS_ERR_ARGUMENT for a language that is unknown, or is missing.
VKS_MUST_CHECK enum vks_status tokenizer_frame(const struct vks_tokenizer *tokenizer,
                                               const struct vks_sequence_params *params,
                                               const struct vks_log *log,
                                               struct token_frame *frame);

// Whether a model with so many rows for a side fits. Models of transformers may have more rows
// than there are tokens.
bool tokenizer_fits(const struct vks_tokenizer *tokenizer, enum vks_side side, uint32_t num_rows);

// Bytes of a code such as >>deu<< that a source text begins with; 0: there is none.
size_t tokenizer_code_bytes(const struct vks_tokenizer *tokenizer, const char *text,
                            size_t text_bytes);

#endif
