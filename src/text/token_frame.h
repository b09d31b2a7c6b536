// How the tokens of a text become a sequence for a model: languages and </s> around them.
#ifndef TEXT_TOKEN_FRAME_H
#define TEXT_TOKEN_FRAME_H

#include "text/tokenizer_object.h"

// What stands around the tokens of a text.
struct token_frame {
    uint32_t before[1], after[2];
    uint32_t num_before, num_after;
    // Of texts that may begin with a code of their own, which then takes the place of `before`;
    // borrowed, NULL: there are none.
    const struct languages *own_codes;
};

// The frame of a side's sequences. What is not named comes from the directory.
// log: for what is wrong. Errors: VKS_ERR_ARGUMENT for a language that is unknown, or is missing.
VKS_MUST_CHECK enum vks_status tokenizer_frame(const struct vks_tokenizer *tokenizer,
                                               const struct vks_sequence_params *params,
                                               const struct vks_log *log,
                                               struct token_frame *frame);

// How many tokens come before these, and how many are around them in all.
uint32_t token_frame_num_before(const struct token_frame *frame, const uint32_t *ids,
                                size_t num_ids);
uint32_t token_frame_size(const struct token_frame *frame);

// Puts the frame around the first `num_kept` of ids, which are allocated and made longer. False
// when there is no memory; ids are then as they were.
bool token_frame_add(const struct token_frame *frame, size_t num_kept, uint32_t **ids,
                     size_t *num_ids);

// Whether a model with so many rows for a side fits. Models of transformers may have more rows
// than there are tokens.
bool tokenizer_fits(const struct vks_tokenizer *tokenizer, enum vks_side side, uint32_t num_rows);

// Bytes of a code such as >>deu<< that a source text begins with; 0: there is none.
size_t tokenizer_code_bytes(const struct vks_tokenizer *tokenizer, const char *text,
                            size_t text_bytes);

#endif
