#include "io/marian_items.h"

#include "base/check.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

// An array's header: a magic text, a version of two bytes, the length of a Python dictionary, and
// this dictionary, e.g. {'descr': '<f4', 'fortran_order': False, 'shape': (400, 32), }.
enum { MAGIC_BYTES = 6, VERSION_BYTES = 2, MAX_HEADER_BYTES = 4096 };
static const char magic[] = "\x93NUMPY", extension[] = ".npy";

static const struct {
    const char *descr, *name;
    enum marian_type type;
    uint32_t bytes;
} types[] = {
    {"<f4", "float32", MARIAN_F32, 4},   {"<f2", "float16", MARIAN_F16, 2},
    {"|i1", "int8", MARIAN_I8, 1},       {"<i1", "int8", MARIAN_I8, 1},
    {"<f8", "float64", MARIAN_OTHER, 8}, {"|u1", "uint8", MARIAN_OTHER, 1},
    {"<u1", "uint8", MARIAN_OTHER, 1},   {"<i2", "int16", MARIAN_OTHER, 2},
    {"<u2", "uint16", MARIAN_OTHER, 2},  {"<i4", "int32", MARIAN_OTHER, 4},
    {"<u4", "uint32", MARIAN_OTHER, 4},  {"<i8", "int64", MARIAN_OTHER, 8},
    {"<u8", "uint64", MARIAN_OTHER, 8},
};

// What follows a key of the dictionary; NULL if there is no such key.
static const char *find_value(const char *header, const char *key) {
    const char *at = strstr(header, key);
    if (!at)
        return NULL;
    at += strlen(key);
    while (*at == ' ')
        at++;
    if (*at++ != ':')
        return NULL;
    while (*at == ' ')
        at++;
    return at;
}

static enum vks_status read_type(const struct marian_source *source, const char *header,
                                 struct marian_item *item, uint32_t *element_bytes) {
    const char *value = find_value(header, "'descr'");
    for (size_t i = 0; value && i < COUNT_OF(types); i++) {
        size_t length = strlen(types[i].descr);
        if (value[0] != '\'' || strncmp(value + 1, types[i].descr, length) != 0 ||
            value[1 + length] != '\'')
            continue;
        item->type = types[i].type;
        item->type_name = types[i].name;
        *element_bytes = types[i].bytes;
        return VKS_OK;
    }
    return marian_source_fail(source, item->name, "its elements' type is not known");
}

static enum vks_status read_shape(const struct marian_source *source, const char *header,
                                  struct marian_item *item) {
    const char *at = find_value(header, "'shape'");
    if (!at || *at++ != '(')
        return marian_source_fail(source, item->name, "it has no shape");
    while (*at != ')') {
        char *end;
        unsigned long long dim = *at >= '0' && *at <= '9' ? strtoull(at, &end, 10) : 0;
        if (dim == 0 || dim > INT32_MAX || item->num_dims == MARIAN_MAX_DIMS)
            return marian_source_fail(source, item->name,
                                      "its shape is not one to four numbers over 0");
        item->dims[item->num_dims++] = (uint32_t)dim;
        at = end;
        while (*at == ' ' || *at == ',')
            at++;
    }
    if (item->num_dims == 0)
        return marian_source_fail(source, item->name, "it has no dimensions");
    return VKS_OK;
}

// Takes the dictionary and leaves the data.
static enum vks_status read_header(const struct marian_source *source,
                                   const struct zip_entry *entry, struct marian_item *item,
                                   uint64_t *header_end) {
    const unsigned char *data = entry->data;
    size_t at = MAGIC_BYTES + VERSION_BYTES;
    if (entry->num_bytes < at + 4 || memcmp(data, magic, MAGIC_BYTES) != 0)
        return marian_source_fail(source, item->name, "it is no numpy array");
    uint32_t length_bytes = data[MAGIC_BYTES] == 1 ? 2 : 4, length = 0;
    if (data[MAGIC_BYTES] < 1 || data[MAGIC_BYTES] > 3)
        return marian_source_fail(source, item->name, "it is of a version that is not known");
    for (uint32_t i = 0; i < length_bytes; i++)
        length |= (uint32_t)data[at + i] << 8 * i;
    at += length_bytes;
    if (length > MAX_HEADER_BYTES || length > entry->num_bytes - at)
        return marian_source_fail(source, item->name, "its header is longer than it may be");
    char header[MAX_HEADER_BYTES + 1];
    memcpy(header, data + at, length);
    header[length] = 0;
    uint32_t element_bytes = 0;
    TRY(read_type(source, header, item, &element_bytes));
    const char *order = find_value(header, "'fortran_order'");
    if (!order || strncmp(order, "False", 5) != 0) {
        log_error(source->log, "%s: array '%s' is not stored row by row, as Marian does",
                  source->name, item->name);
        return VKS_ERR_UNSUPPORTED;
    }
    TRY(read_shape(source, header, item));
    item->data = data + at + length;
    *header_end = at + length;
    TRY(marian_source_size(source, item, element_bytes, entry->num_bytes - *header_end));
    return item->num_elements * element_bytes == entry->num_bytes - *header_end
               ? VKS_OK
               : marian_source_fail(source, item->name, "its data are longer than its shape says");
}

static enum vks_status read_entry(const struct marian_source *source, const struct zip *zip,
                                  const struct zip_entry *entry, struct marian_item *item) {
    size_t length = strlen(entry->name), without = length - (sizeof extension - 1);
    if (length < sizeof extension || strcmp(entry->name + without, extension) != 0)
        return marian_source_fail(source, entry->name, "it is no numpy array by its name");
    if (without >= sizeof item->name)
        return marian_source_fail(source, entry->name, "its name is too long");
    memcpy(item->name, entry->name, without);
    uint64_t header_end;
    TRY(zip_check(zip, entry));
    return read_header(source, entry, item, &header_end);
}

enum vks_status marian_npz_list(struct marian_source *source, const struct zip *zip) {
    size_t num = zip_num_entries(zip);
    TRY(marian_source_reserve(source, num));
    for (size_t i = 0; i < num; i++)
        TRY(read_entry(source, zip, zip_at(zip, i), &source->items[source->num_items++]));
    return VKS_OK;
}
