// How the table of words begins: sequences of tokens that no translation has.
#ifndef DECODE_SUPPRESSED_H
#define DECODE_SUPPRESSED_H

#include "decode/step_decoder.h"

// For each list where it is and how many tokens it has, then the lists themselves. *words is
// allocated and owned by the caller (free). Errors: VKS_ERR_OOM.
enum vks_status suppressed_pack(const struct token_list *lists, uint32_t num_lists,
                                uint32_t **words, uint32_t *num_words);

#endif
