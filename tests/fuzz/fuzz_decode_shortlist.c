// Shortlists, texts and binary ones, for a vocabulary of ten pieces.
#include "fuzz.h"

#include "decode/shortlist_read.h"

#include <stdio.h>

enum { VOCAB = 10 };

// In place of the SentencePiece one.
struct vks_tokenizer {
    uint32_t unused;
};

uint32_t vks_tokenizer_vocab_size(const struct vks_tokenizer *tokenizer, enum vks_side side) {
    (void)tokenizer, (void)side;
    return VOCAB;
}

bool vks_tokenizer_is_joint(const struct vks_tokenizer *tokenizer) {
    (void)tokenizer;
    return false;
}

uint32_t vks_tokenizer_pad_id(const struct vks_tokenizer *tokenizer, enum vks_side side) {
    (void)tokenizer, (void)side;
    return VOCAB - 1;
}

uint32_t vks_tokenizer_eos_id(const struct vks_tokenizer *tokenizer, enum vks_side side) {
    (void)tokenizer, (void)side;
    return 0;
}

uint32_t vks_tokenizer_unk_id(const struct vks_tokenizer *tokenizer, enum vks_side side) {
    (void)tokenizer, (void)side;
    return 1;
}

const char *vks_tokenizer_piece(const struct vks_tokenizer *tokenizer, enum vks_side side,
                                uint32_t id) {
    static const char *const pieces[VOCAB] = {"</s>", "<unk>", "a", "b", "c",
                                              "d",    "e",     "f", "g", "<pad>"};
    (void)tokenizer, (void)side;
    return id < VOCAB ? pieces[id] : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    size_t num_messages;
    struct vks_log log = fuzz_log(&num_messages);
    const struct vks_shortlist_params params = {
        .path = "input", .first = 2, .best = 3, .log = &log};
    const struct vks_tokenizer tokenizer = {0};
    struct vks_shortlist *shortlist;
    char *bytes = fuzz_text(data, num_bytes);
    if (fuzz_is_ok(shortlist_parse(bytes, num_bytes, &params, &tokenizer, &shortlist),
                   num_messages)) {
        for (uint32_t id = 0; id < VOCAB; id++) {
            uint32_t set[1];
            shortlist_mark(shortlist, &id, 1, set);
            CHECK(set[0] >> (VOCAB - 1) == 0);
        }
        vks_shortlist_destroy(&shortlist);
    }
    free(bytes);
    return 0;
}
