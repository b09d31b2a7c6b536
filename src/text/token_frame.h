// What stands around the tokens of a text in a sequence for a model: languages and </s>.
#ifndef TEXT_TOKEN_FRAME_H
#define TEXT_TOKEN_FRAME_H

#include "text/languages.h"

// What stands around the tokens of a text.
struct token_frame {
    uint32_t before[1], after[2];
    uint32_t num_before, num_after;
    // Of texts that may begin with a code of their own, which then takes the place of `before`;
    // borrowed, NULL: there are none.
    const struct languages *own_codes;
};

// How many tokens come before these, and how many are around them in all.
uint32_t token_frame_num_before(const struct token_frame *frame, const uint32_t *ids,
                                size_t num_ids);
uint32_t token_frame_size(const struct token_frame *frame);

// Puts the frame around the first `num_kept` of ids, which are allocated and made longer. False
// when there is no memory; ids are then as they were.
bool token_frame_add(const struct token_frame *frame, size_t num_kept, uint32_t **ids,
                     size_t *num_ids);

#endif
