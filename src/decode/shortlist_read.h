// Reading shortlists.
#ifndef DECODE_SHORTLIST_READ_H
#define DECODE_SHORTLIST_READ_H

#include "decode/lexical_shortlist.h"

// Reads a file in memory. params->path: what messages call it; the rest and the tokenizer as in
// vks_shortlist_load.
VKS_MUST_CHECK enum vks_status shortlist_parse(const void *bytes, size_t num_bytes,
                                               const struct vks_shortlist_params *params,
                                               const struct vks_tokenizer *tokenizer,
                                               struct vks_shortlist **shortlist);

#endif
