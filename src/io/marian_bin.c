#include "io/marian_items.h"

#include "base/check.h"
#include "base/log.h"

#include <inttypes.h>
#include <string.h>

// Of whole numbers of 64 bits: the version and the number of items, then four of each item.
enum { WORD_BYTES = 8, HEADER_WORDS = 4, VERSION = 1, VERSION_ENCRYPTED = 2 };
enum { HEADER_NAME, HEADER_TYPE, HEADER_SHAPE, HEADER_DATA };

// Two programs write quantised matrices and number their types otherwise. The factor by which the
// matrix was multiplied before it was rounded stands behind it.
static const struct {
    uint64_t number;
    const char *name;
    enum marian_type type;
    uint32_t bytes;
} types[] = {
    {0x404, "float32", MARIAN_F32, 4},
    {0x402, "float16", MARIAN_F16, 2},
    {0x101, "int8", MARIAN_I8, 1},
    {0x10001, "intgemm8", MARIAN_QUANTIZED_8, 1},
    {0x10002, "intgemm16", MARIAN_QUANTIZED_16, 2},
    {0x4101, "intgemm8", MARIAN_QUANTIZED_8, 1},
    {0x4102, "intgemm16", MARIAN_QUANTIZED_16, 2},
};

enum { FACTOR_BYTES = 4 };

// What is left of the file.
struct cursor {
    const struct marian_source *source;
    size_t at;
};

static enum vks_status take(struct cursor *cursor, uint64_t num_bytes, const char *what,
                            const unsigned char **data) {
    const struct marian_source *source = cursor->source;
    if (num_bytes > source->num_bytes - cursor->at) {
        log_error(source->log, "%s: not a whole Marian model: the file ends before the end of %s",
                  source->name, what);
        return VKS_ERR_FORMAT;
    }
    *data = source->bytes + cursor->at;
    cursor->at += num_bytes;
    return VKS_OK;
}

static uint64_t word_at(const unsigned char *data, size_t idx) {
    uint64_t value = 0;
    for (unsigned i = 0; i < WORD_BYTES; i++)
        value |= (uint64_t)data[idx * WORD_BYTES + i] << 8 * i;
    return value;
}

// The number of items.
static enum vks_status read_start(struct cursor *cursor, uint64_t *num) {
    const struct marian_source *source = cursor->source;
    const unsigned char *data;
    TRY(take(cursor, 2 * WORD_BYTES, "its start", &data));
    uint64_t version = word_at(data, 0);
    if (version == VERSION_ENCRYPTED) {
        log_error(source->log, "%s: an encrypted Marian model", source->name);
        return VKS_ERR_UNSUPPORTED;
    }
    if (version != VERSION)
        return marian_source_fail(source, NULL, "it does not begin with the version 1");
    *num = word_at(data, 1);
    return *num <= (source->num_bytes - cursor->at) / (HEADER_WORDS * WORD_BYTES)
               ? VKS_OK
               : marian_source_fail(source, NULL, "it says to have more items than it can");
}

static enum vks_status read_name(struct cursor *cursor, uint64_t length, struct marian_item *item) {
    const unsigned char *data;
    TRY(take(cursor, length, "its names", &data));
    if (length < 2 || length > sizeof item->name || memchr(data, 0, length) != data + length - 1)
        return marian_source_fail(cursor->source, NULL,
                                  "an item's name does not end where its header says");
    memcpy(item->name, data, length);
    return VKS_OK;
}

static enum vks_status read_shape(struct cursor *cursor, uint64_t num_dims,
                                  struct marian_item *item) {
    const struct marian_source *source = cursor->source;
    const unsigned char *data;
    if (num_dims < 1 || num_dims > MARIAN_MAX_DIMS)
        return marian_source_fail(source, item->name, "it has not one to four dimensions");
    TRY(take(cursor, num_dims * 4, "its shapes", &data));
    item->num_dims = (uint32_t)num_dims;
    for (uint32_t i = 0; i < num_dims; i++) {
        const unsigned char *at = data + 4 * i;
        item->dims[i] =
            (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
        if (item->dims[i] == 0 || item->dims[i] > INT32_MAX)
            return marian_source_fail(source, item->name, "a dimension is not over 0");
    }
    return VKS_OK;
}

static enum vks_status read_data(struct cursor *cursor, const unsigned char *header,
                                 struct marian_item *item) {
    uint64_t type = word_at(header, HEADER_TYPE), room = word_at(header, HEADER_DATA);
    uint32_t bytes = (uint32_t)(type & 0xff), factor_bytes = 0;
    item->type = MARIAN_OTHER;
    item->type_name = "a type that is made for one kind of processor";
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (types[i].number == type) {
            item->type = types[i].type;
            item->type_name = types[i].name;
        }
    TRY(take(cursor, room, item->name, &item->data));
    if (item->type == MARIAN_QUANTIZED_8 || item->type == MARIAN_QUANTIZED_16)
        factor_bytes = FACTOR_BYTES;
    if (bytes == 0 || room < factor_bytes)
        return marian_source_fail(cursor->source, item->name, "its size makes no sense");
    return marian_source_size(cursor->source, item, bytes, room - factor_bytes);
}

enum vks_status marian_bin_list(struct marian_source *source) {
    struct cursor cursor = {.source = source};
    const unsigned char *headers, *padding;
    uint64_t num = 0;
    TRY(read_start(&cursor, &num));
    TRY(marian_source_reserve(source, (size_t)num));
    TRY(take(&cursor, num * HEADER_WORDS * WORD_BYTES, "its headers", &headers));
    source->num_items = (size_t)num;
    for (size_t i = 0; i < num; i++)
        TRY(read_name(&cursor, word_at(headers, i * HEADER_WORDS + HEADER_NAME),
                      &source->items[i]));
    for (size_t i = 0; i < num; i++)
        TRY(read_shape(&cursor, word_at(headers, i * HEADER_WORDS + HEADER_SHAPE),
                       &source->items[i]));
    TRY(take(&cursor, WORD_BYTES, "its headers", &padding));
    TRY(take(&cursor, word_at(padding, 0), "its padding", &padding));
    for (size_t i = 0; i < num; i++)
        TRY(read_data(&cursor, headers + i * HEADER_WORDS * WORD_BYTES, &source->items[i]));
    return VKS_OK;
}
