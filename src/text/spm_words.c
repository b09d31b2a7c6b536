#include "text/spm_words.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

// Fields of sentencepiece_model.proto, and values of its enumerations.
enum {
    MODEL_PIECES = 1,
    MODEL_NORMALIZER = 3,
    PIECE_TEXT = 1,
    PIECE_SCORE = 2,
    PIECE_TYPE = 3,
    TYPE_NORMAL = 1,
    TYPE_UNKNOWN = 2,
    TYPE_CONTROL = 3,
    NORMALIZER_NAME = 1,
    WIRE_VARINT = 0,
    WIRE_BYTES = 2,
    WIRE_32_BITS = 5
};

// A message that grows; the first failure stays.
struct message {
    unsigned char *bytes;
    size_t num, capacity;
    bool has_failed;
};

static void put(struct message *message, const void *data, size_t num_bytes) {
    if (message->capacity - message->num < num_bytes) {
        size_t capacity = 2 * message->capacity + num_bytes + 64;
        unsigned char *grown = memory_realloc(message->bytes, capacity);
        message->has_failed |= !grown;
        if (!grown)
            return;
        message->bytes = grown;
        message->capacity = capacity;
    }
    memcpy(message->bytes + message->num, data, num_bytes);
    message->num += num_bytes;
}

static void put_varint(struct message *message, uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        put(message, &(unsigned char){(unsigned char)(value | 0x80)}, 1);
    put(message, &(unsigned char){(unsigned char)value}, 1);
}

static void put_number(struct message *message, uint32_t field, uint64_t value) {
    put_varint(message, (uint64_t)field << 3 | WIRE_VARINT);
    put_varint(message, value);
}

// A text in two parts, of which the first may be empty.
static void put_text(struct message *message, uint32_t field, const char *mark, const char *text) {
    put_varint(message, (uint64_t)field << 3 | WIRE_BYTES);
    put_varint(message, strlen(mark) + strlen(text));
    put(message, mark, strlen(mark));
    put(message, text, strlen(text));
}

static void put_message(struct message *message, uint32_t field, const struct message *part) {
    put_varint(message, (uint64_t)field << 3 | WIRE_BYTES);
    put_varint(message, part->num);
    put(message, part->bytes, part->num);
    message->has_failed |= part->has_failed;
}

static void put_piece(struct message *model, struct message *piece, const char *mark,
                      const char *text, uint32_t type) {
    static const unsigned char zero[4];
    piece->num = 0;
    put_text(piece, PIECE_TEXT, mark, text);
    put_varint(piece, PIECE_SCORE << 3 | WIRE_32_BITS);
    put(piece, zero, sizeof zero);
    put_number(piece, PIECE_TYPE, type);
    put_message(model, MODEL_PIECES, piece);
}

// What these models begin with, and no others: the trainer's settings, which are the model's name,
// its type, of words, and the text of <unk>.
static const char beginning[] = "\x12\x18"
                                "\x12\x0b"
                                "whole-words"
                                "\x18\x03"
                                "\xe2\x02\x06"
                                " <unk>";

bool spm_words_is(const void *model, size_t num_bytes) {
    size_t length = sizeof beginning - 1;
    return num_bytes > length && memcmp(model, beginning, length) == 0;
}

enum vks_status spm_words_model(const char *const *words, size_t num_words, void **model,
                                size_t *num_bytes) {
    struct message whole = {0}, part = {0};
    put(&whole, beginning, sizeof beginning - 1);
    put_piece(&whole, &part, "", "</s>", TYPE_CONTROL);
    put_piece(&whole, &part, "", "<unk>", TYPE_UNKNOWN);
    for (size_t i = 0; i < num_words; i++)
        if (words[i])
            put_piece(&whole, &part, SPM_WORD_MARK, words[i], TYPE_NORMAL);
    part.num = 0;
    put_text(&part, NORMALIZER_NAME, "", "identity");
    put_message(&whole, MODEL_NORMALIZER, &part);
    free(part.bytes);
    if (whole.has_failed) {
        free(whole.bytes);
        return VKS_ERR_OOM;
    }
    *model = whole.bytes;
    *num_bytes = whole.num;
    return VKS_OK;
}
