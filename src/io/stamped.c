#include "io/stamped.h"

#include "io/hash64.h"

#include <string.h>

static const char magic[8] = {'V', 'K', 'S', 'E', 'Q', 'D', 'E', 'V'};

enum { STAMP_AT = sizeof magic, SIZE_AT = STAMP_AT + STAMP_BYTES, HASH_AT = SIZE_AT + 8 };

static void put_u64(unsigned char *at, uint64_t value) {
    for (int i = 0; i < 8; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

void stamped_head(const unsigned char stamp[STAMP_BYTES], const void *data, size_t num_bytes,
                  unsigned char head[STAMPED_HEAD_BYTES]) {
    memcpy(head, magic, sizeof magic);
    memcpy(head + STAMP_AT, stamp, STAMP_BYTES);
    put_u64(head + SIZE_AT, num_bytes);
    put_u64(head + HASH_AT, hash64_of(data, num_bytes));
}

const char *stamped_fault(const unsigned char stamp[STAMP_BYTES], const unsigned char *bytes,
                          size_t num_bytes) {
    unsigned char head[STAMPED_HEAD_BYTES];
    if (num_bytes < sizeof head || memcmp(bytes, magic, sizeof magic) != 0)
        return "it is no such file";
    stamped_head(stamp, bytes + sizeof head, num_bytes - sizeof head, head);
    if (memcmp(bytes + STAMP_AT, head + STAMP_AT, STAMP_BYTES) != 0)
        return "it belongs to another device or driver";
    if (memcmp(bytes + SIZE_AT, head + SIZE_AT, HASH_AT - SIZE_AT) != 0)
        return "it is cut short, or too long";
    if (memcmp(bytes + HASH_AT, head + HASH_AT, sizeof head - HASH_AT) != 0)
        return "its checksum is wrong";
    return NULL;
}
