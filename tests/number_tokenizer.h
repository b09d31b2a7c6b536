// A tokenizer whose tokens are the decimal numbers between spaces, in place of the SentencePiece
// one: tests of src/data can then write down which ids they expect. To be included once a program.
#ifndef TESTS_NUMBER_TOKENIZER_H
#define TESTS_NUMBER_TOKENIZER_H

#include "text/tokenizer_frame.h"

#include <stdlib.h>
#include <string.h>

struct vks_tokenizer {
    uint32_t eos_id;
    uint32_t language_id; // in front of both sides' tokens; 0: none
};

uint32_t vks_tokenizer_eos_id(const struct vks_tokenizer *tokenizer, enum vks_side side) {
    (void)side;
    return tokenizer->eos_id;
}

// Drawing, it adds 1 to all tokens of a text or to none.
enum vks_status vks_tokenizer_sample(const struct vks_tokenizer *tokenizer,
                                     const struct vks_piece_sampling *sampling, const char *text,
                                     size_t text_bytes, uint32_t **ids, size_t *num_ids) {
    (void)tokenizer;
    char *copy = malloc(text_bytes + 1);
    uint32_t *encoded = calloc(text_bytes + 1, sizeof *encoded);
    if (!copy || !encoded) {
        free(copy);
        free(encoded);
        return VKS_ERR_OOM;
    }
    memcpy(copy, text, text_bytes);
    copy[text_bytes] = 0;
    *num_ids = 0;
    for (char *saved, *word = strtok_r(copy, " ", &saved); word; word = strtok_r(NULL, " ", &saved))
        encoded[(*num_ids)++] =
            (uint32_t)strtoul(word, NULL, 10) + (sampling->alpha > 0 && sampling->seed % 2);
    free(copy);
    *ids = encoded;
    return VKS_OK;
}

enum vks_status vks_tokenizer_encode(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                     const char *text, size_t text_bytes, uint32_t **ids,
                                     size_t *num_ids) {
    const struct vks_piece_sampling best = {.side = side};
    return vks_tokenizer_sample(tokenizer, &best, text, text_bytes, ids, num_ids);
}

enum vks_status tokenizer_frame(const struct vks_tokenizer *tokenizer,
                                const struct vks_sequence_params *params, const struct vks_log *log,
                                struct token_frame *frame) {
    (void)params, (void)log;
    *frame = (struct token_frame){.before = {tokenizer->language_id},
                                  .num_before = tokenizer->language_id > 0,
                                  .after = {tokenizer->eos_id},
                                  .num_after = 1};
    return VKS_OK;
}

size_t tokenizer_code_bytes(const struct vks_tokenizer *tokenizer, const char *text,
                            size_t text_bytes) {
    (void)tokenizer, (void)text, (void)text_bytes;
    return 0;
}

#endif
