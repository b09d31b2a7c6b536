// Shortlists as texts: a line "target source probability" for each pair of tokens.
#ifndef DECODE_SHORTLIST_TEXT_H
#define DECODE_SHORTLIST_TEXT_H

#include "vkseq/shortlist.h"

struct shortlist_link {
    uint32_t source, target;
    float probability;
    size_t line_idx; // where it was read
};

struct shortlist_links {
    struct shortlist_link *items; // [num], owned (free), by source, the most probable first
    size_t num, capacity;
};

// Reads what the parameters leave of a text, whose path is what messages call it.
//   text  [num_bytes], a NUL stands past the end
// Errors: VKS_ERR_FORMAT (logged with the line), VKS_ERR_OOM. links is to be freed in any case.
VKS_MUST_CHECK enum vks_status shortlist_text_read(const char *text, size_t num_bytes,
                                                   const struct vks_shortlist_params *params,
                                                   const struct vks_tokenizer *tokenizer,
                                                   struct shortlist_links *links);

#endif
