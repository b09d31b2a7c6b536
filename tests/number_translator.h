// The number tokenizer as translators use it, for models of support/random_model.h. To be included
// once a program.
#ifndef TESTS_NUMBER_TRANSLATOR_H
#define TESTS_NUMBER_TRANSLATOR_H

#include "number_tokenizer.h"
#include "support/random_model.h"
#include "text/tokenizer_parts.h"

#include <stdio.h>

uint32_t vks_tokenizer_vocab_size(const struct vks_tokenizer *tokenizer, enum vks_side side) {
    (void)tokenizer, (void)side;
    return RANDOM_MODEL_VOCAB;
}

bool tokenizer_fits(const struct vks_tokenizer *tokenizer, enum vks_side side, uint32_t num_rows) {
    return num_rows == vks_tokenizer_vocab_size(tokenizer, side);
}

uint32_t vks_tokenizer_pad_id(const struct vks_tokenizer *tokenizer, enum vks_side side) {
    (void)tokenizer, (void)side;
    return RANDOM_MODEL_VOCAB - 1;
}

bool vks_tokenizer_is_joint(const struct vks_tokenizer *tokenizer) {
    (void)tokenizer;
    return true;
}

enum vks_status vks_tokenizer_decode(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                     const uint32_t *ids, size_t num_ids, char **text) {
    (void)tokenizer, (void)side;
    char *words = calloc(num_ids + 1, 12), *end = words;
    if (!words)
        return VKS_ERR_OOM;
    for (size_t i = 0; i < num_ids; i++)
        end += sprintf(end, i ? " %u" : "%u", ids[i]);
    *text = words;
    return VKS_OK;
}

enum vks_status tokenizer_decode_settled(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                         const uint32_t *ids, size_t num_ids, char **text) {
    return vks_tokenizer_decode(tokenizer, side, ids, num_ids, text);
}

enum vks_status tokenizer_decode_with(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                      const uint32_t *ids, const char *const *instead,
                                      size_t num_ids, char **text) {
    (void)instead;
    return vks_tokenizer_decode(tokenizer, side, ids, num_ids, text);
}

enum vks_status tokenizer_token_text(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                     const char *text, size_t idx, char **token_text) {
    (void)tokenizer, (void)side, (void)text, (void)idx;
    *token_text = calloc(1, 1);
    return *token_text ? VKS_OK : VKS_ERR_OOM;
}

// No number stands right behind another one.
enum vks_status tokenizer_encode_behind(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                        const char *text, size_t text_bytes, uint32_t **ids,
                                        size_t *num_ids) {
    (void)tokenizer, (void)side, (void)text, (void)text_bytes;
    *ids = NULL;
    *num_ids = 0;
    return VKS_OK;
}

uint32_t vks_tokenizer_unk_id(const struct vks_tokenizer *tokenizer, enum vks_side side) {
    (void)tokenizer, (void)side;
    return 1;
}

const char *vks_tokenizer_piece(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                uint32_t id) {
    (void)tokenizer, (void)side;
    return id == 1 ? "<unk>" : NULL;
}

#endif
