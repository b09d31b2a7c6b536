// What a tokenizer can do besides whole texts: with the beginning of one, with what stands within a
// word, and with the text of single tokens.
#ifndef TEXT_TOKENIZER_PARTS_H
#define TEXT_TOKENIZER_PARTS_H

#include "vkseq/tokenizer.h"

// As vks_tokenizer_decode, without the end that may be another one when more ids follow.
VKS_MUST_CHECK enum vks_status tokenizer_decode_settled(const struct vks_tokenizer *tokenizer,
                                                        enum vks_side side, const uint32_t *ids,
                                                        size_t num_ids, char **text);

// As vks_tokenizer_decode, with texts of other tokens (tokenizer_token_text) in the place of some.
// instead: [num_ids], may be NULL, as may be each: the id's own.
VKS_MUST_CHECK enum vks_status tokenizer_decode_with(const struct vks_tokenizer *tokenizer,
                                                     enum vks_side side, const uint32_t *ids,
                                                     const char *const *instead, size_t num_ids,
                                                     char **text);

// The text that became id `idx` of vks_tokenizer_encode, as tokenizer_decode_with takes it: also
// where the id is that of <unk>. *token_text is allocated and owned by the caller (free).
VKS_MUST_CHECK enum vks_status tokenizer_token_text(const struct vks_tokenizer *tokenizer,
                                                    enum vks_side side, const char *text,
                                                    size_t idx, char **token_text);

// As vks_tokenizer_encode, of a text right behind another one, as a full stop stands behind a word.
// No ids for one that begins with a letter or digit, before which a blank is expected, unless it is
// Chinese or Japanese; and none where the vocabulary has no piece for it.
VKS_MUST_CHECK enum vks_status tokenizer_encode_behind(const struct vks_tokenizer *tokenizer,
                                                       enum vks_side side, const char *text,
                                                       size_t text_bytes, uint32_t **ids,
                                                       size_t *num_ids);

#endif
