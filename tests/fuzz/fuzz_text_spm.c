// SentencePiece models. The first byte of the input is the length of a text, which follows; the
// rest is the model that cuts it.
#include "fuzz.h"

#include "text/spm.h"
#include "text/vocab.h"

enum { MAX_PIECES = 256 };

struct pieces {
    char *items[MAX_PIECES];
    size_t num;
};

static enum vks_status keep_piece(void *user, const char *piece, size_t piece_bytes) {
    struct pieces *pieces = user;
    if (pieces->num == MAX_PIECES)
        return VKS_ERR_CANCELLED;
    pieces->items[pieces->num++] = fuzz_text((const uint8_t *)piece, piece_bytes);
    return VKS_OK;
}

static void check_model(const struct spm *spm, const char *text, size_t text_bytes) {
    struct pieces pieces = {.num = 0};
    char *decoded = NULL;
    struct vocab *vocab = NULL;
    for (uint32_t id = 0; id < spm_num_pieces(spm); id++)
        CHECK(spm_piece(spm, id));
    if (vocab_from_spm(spm, "input", NULL, &vocab) == VKS_OK)
        CHECK(vocab->size == spm_num_pieces(spm) + 1);
    if (spm_encode(spm, NULL, text, text_bytes, keep_piece, &pieces) == VKS_OK &&
        spm_decode(spm, (const char *const *)pieces.items, pieces.num, &decoded) == VKS_OK)
        CHECK(decoded);
    free(decoded);
    for (size_t i = 0; i < pieces.num; i++)
        free(pieces.items[i]);
    vocab_destroy(&vocab);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    if (num_bytes == 0 || num_bytes - 1 < data[0])
        return 0;
    size_t num_messages, text_bytes = data[0];
    struct vks_log log = fuzz_log(&num_messages);
    char *text = fuzz_text(data + 1, text_bytes);
    struct spm *spm;
    if (fuzz_is_ok(spm_load(data + 1 + text_bytes, num_bytes - 1 - text_bytes, "input", &log, &spm),
                   num_messages)) {
        check_model(spm, text, text_bytes);
        spm_destroy(&spm);
    }
    free(text);
    return 0;
}
