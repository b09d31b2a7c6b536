// vocab.json: a vocabulary that is read is the same when it is printed and read again.
#include "fuzz.h"

#include "text/vocab.h"

enum { MAX_DIGITS = 5 };

// An id may be so high that its table fills memory: right, but slow.
static bool has_high_id(const char *text) {
    size_t num_digits = 0;
    for (; *text; text++) {
        num_digits = *text >= '0' && *text <= '9' ? num_digits + 1 : 0;
        if (num_digits > MAX_DIGITS || (num_digits && (text[1] == 'e' || text[1] == 'E')))
            return true;
    }
    return false;
}

static void check_same(const struct vocab *a, const struct vocab *b) {
    CHECK(a->size == b->size);
    CHECK(a->eos_id == b->eos_id && a->unk_id == b->unk_id && a->pad_id == b->pad_id);
    for (uint32_t id = 0; id < a->size; id++) {
        CHECK(!a->pieces[id] == !b->pieces[id]);
        if (!a->pieces[id])
            continue;
        CHECK(strcmp(a->pieces[id], b->pieces[id]) == 0);
        CHECK(vocab_find(b, a->pieces[id], strlen(a->pieces[id])) == id);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    size_t num_messages;
    struct vks_log log = fuzz_log(&num_messages);
    struct vocab *vocab, *again;
    char *text = fuzz_text(data, num_bytes), *printed;
    if (!has_high_id(text) &&
        fuzz_is_ok(vocab_parse(text, num_bytes, "input", &log, &vocab), num_messages)) {
        CHECK(vocab_print(vocab, NULL, &printed) == VKS_OK);
        CHECK(vocab_parse(printed, strlen(printed), "printed", NULL, &again) == VKS_OK);
        check_same(vocab, again);
        free(printed);
        vocab_destroy(&again);
        vocab_destroy(&vocab);
    }
    free(text);
    return 0;
}
