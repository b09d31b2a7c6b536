// Marian's YAML vocabularies. The first byte says whether the entries are words.
#include "fuzz.h"

#include "text/marian_vocab.h"

enum { MAX_DIGITS = 5, NUM_ROWS = 40 };

// An id may be so high that its table fills memory: right, but slow.
static bool has_high_id(const uint8_t *data, size_t num_bytes) {
    size_t num_digits = 0;
    for (size_t i = 0; i < num_bytes; i++) {
        num_digits = data[i] >= '0' && data[i] <= '9' ? num_digits + 1 : 0;
        if (num_digits > MAX_DIGITS)
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    size_t num_messages;
    struct vks_log log = fuzz_log(&num_messages);
    struct vocab *vocab;
    if (num_bytes == 0 || has_high_id(data, num_bytes))
        return 0;
    char *copy = fuzz_text(data + 1, num_bytes - 1);
    const struct vocab_text text = {copy, num_bytes - 1, "input"};
    if (fuzz_is_ok(marian_vocab_parse(&text, NUM_ROWS, data[0] & 1, &log, &vocab), num_messages)) {
        CHECK(vocab->size > NUM_ROWS && vocab->pad_id == vocab->size - 1);
        CHECK(vocab->eos_id < vocab->pad_id && vocab->unk_id < vocab->pad_id);
        vocab_destroy(&vocab);
    }
    free(copy);
    return 0;
}
