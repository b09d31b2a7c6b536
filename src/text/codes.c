#include "text/codes.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/utf8.h>

enum { MAX_BYTES = 1 << 30 };

void codes_push(struct codes *codes, uint32_t code) {
    if (codes->num == codes->capacity && !codes->is_out_of_memory) {
        size_t capacity = 0, num_bytes = 0;
        uint32_t *items = NULL;
        if (size_mul(codes->capacity ? codes->capacity : 128, 2, &capacity) &&
            size_mul(capacity, sizeof *items, &num_bytes))
            items = memory_realloc(codes->items, num_bytes);
        if (items) {
            codes->items = items;
            codes->capacity = capacity;
        }
        codes->is_out_of_memory = !items;
    }
    if (!codes->is_out_of_memory)
        codes->items[codes->num++] = code;
}

enum vks_status codes_read(const char *utf8, struct codes *codes) {
    size_t num_bytes = strlen(utf8);
    if (num_bytes > MAX_BYTES)
        return VKS_ERR_ARGUMENT;
    codes->num = 0;
    const uint8_t *bytes = (const uint8_t *)utf8;
    for (int32_t at = 0, end = (int32_t)num_bytes; at < end;) {
        UChar32 code;
        U8_NEXT_OR_FFFD(bytes, at, end, code);
        codes_push(codes, (uint32_t)code);
    }
    return codes->is_out_of_memory ? VKS_ERR_OOM : VKS_OK;
}

void codes_finish(struct codes *codes) {
    free(codes->items);
    *codes = (struct codes){0};
}

bool code_is_space(uint32_t code) {
    return (code >= 0x09 && code <= 0x0d) || (code >= 0x1c && code <= 0x20) || code == 0x85 ||
           code == 0xa0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 ||
           code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

bool code_is_digit(uint32_t code) {
    return code >= '0' && code <= '9';
}

bool word_next(const struct codes *codes, size_t *at, struct word *word) {
    size_t begin = *at;
    while (begin < codes->num && code_is_space(codes->items[begin]))
        begin++;
    size_t end = begin;
    while (end < codes->num && !code_is_space(codes->items[end]))
        end++;
    *at = end;
    if (begin == end)
        return false;
    *word = (struct word){codes->items + begin, end - begin};
    return true;
}
