#include "io/marian_specials.h"

#include "base/log.h"
#include "io/files.h"
#include "io/yaml.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_SPM_BYTES = 1 << 29 };
// Of a field of Protocol Buffers: its number and how long it is.
enum { WIRE_VARINT, WIRE_64_BITS, WIRE_BYTES, WIRE_32_BITS = 5, FIELD_PIECES = 1, FIELD_TEXT = 1 };

struct span {
    const unsigned char *at, *end;
};

static bool read_varint(struct span *span, uint64_t *value) {
    *value = 0;
    for (unsigned shift = 0; shift < 64 && span->at < span->end; shift += 7) {
        unsigned char byte = *span->at++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

// The next field of bytes with that number; false where there is none.
static bool find_field(struct span *span, uint64_t number, struct span *value) {
    uint64_t tag, length;
    while (span->at < span->end && read_varint(span, &tag)) {
        length = (tag & 7) == WIRE_64_BITS ? 8 : 4;
        if (((tag & 7) == WIRE_VARINT || (tag & 7) == WIRE_BYTES) && !read_varint(span, &length))
            return false;
        if ((tag & 7) == WIRE_VARINT)
            continue;
        if (length > (uint64_t)(span->end - span->at))
            return false;
        *value = (struct span){span->at, span->at + length};
        span->at += length;
        if ((tag & 7) == WIRE_BYTES && tag >> 3 == number)
            return true;
    }
    return false;
}

// What the two are called, and the ids that they have by default.
static const char *const names[] = {"</s>", "<unk>"};

static void find_in_spm(const unsigned char *bytes, size_t num_bytes, uint32_t ids[2]) {
    struct span model = {bytes, bytes + num_bytes}, piece, text;
    for (uint32_t id = 0; find_field(&model, FIELD_PIECES, &piece); id++)
        for (int i = 0; i < 2; i++) {
            struct span fields = piece;
            size_t length = strlen(names[i]);
            if (find_field(&fields, FIELD_TEXT, &text) && (size_t)(text.end - text.at) == length &&
                memcmp(text.at, names[i], length) == 0)
                ids[i] = id;
        }
}

static enum vks_status find_in_yaml(const char *path, const struct vks_log *log, uint32_t ids[2]) {
    struct arena arena = {0};
    struct yaml_node *root;
    enum vks_status status = yaml_read(path, log, &arena, &root);
    for (int i = 0; i < 2 && status == VKS_OK; i++) {
        const struct yaml_node *node = yaml_find(root, names[i]);
        if (node && node->text)
            ids[i] = (uint32_t)strtoul(node->text, NULL, 10);
    }
    arena_finish(&arena);
    return status;
}

enum vks_status marian_specials_find(const char *path, const struct vks_log *log, uint32_t *eos_id,
                                     uint32_t *unk_id) {
    size_t length = strlen(path), num_bytes;
    uint32_t ids[2] = {0, 1};
    unsigned char *bytes;
    if (length < 4 || strcmp(path + length - 4, ".spm") != 0) {
        TRY(find_in_yaml(path, log, ids));
    } else {
        TRY(file_read(path, MAX_SPM_BYTES, log, &bytes, &num_bytes));
        find_in_spm(bytes, num_bytes, ids);
        free(bytes);
    }
    *eos_id = ids[0];
    *unk_id = ids[1];
    return VKS_OK;
}
