#include "text/trim.h"

#include "text/codes.h"

enum { CONTINUATION = 0x80, LEAD_2 = 0xC0, LEAD_3 = 0xE0, LEAD_4 = 0xF0 };

// The white space at text, of up to three bytes; 0: there is another character.
static size_t space_bytes(const char *text, size_t num_bytes) {
    const unsigned char *c = (const unsigned char *)text;
    uint32_t code = 0;
    size_t num = 0;
    if (num_bytes >= 1 && c[0] < CONTINUATION) {
        code = c[0];
        num = 1;
    } else if (num_bytes >= 2 && c[0] >= LEAD_2 && c[0] < LEAD_3) {
        code = (uint32_t)(c[0] & 0x1F) << 6 | (c[1] & 0x3F);
        num = 2;
    } else if (num_bytes >= 3 && c[0] >= LEAD_3 && c[0] < LEAD_4) {
        code = (uint32_t)(c[0] & 0x0F) << 12 | (uint32_t)(c[1] & 0x3F) << 6 | (c[2] & 0x3F);
        num = 3;
    }
    return num > 0 && code_is_space(code) ? num : 0;
}

size_t trim_left_bytes(const char *text, size_t num_bytes) {
    size_t at = 0;
    for (size_t num = 1; num > 0; at += num)
        num = space_bytes(text + at, num_bytes - at);
    return at;
}

size_t trim_right_bytes(const char *text, size_t num_bytes) {
    size_t end = num_bytes;
    while (end > 0) {
        size_t start = end - 1;
        while (start > 0 && end - start < 3 &&
               ((unsigned char)text[start] & LEAD_2) == CONTINUATION)
            start--;
        size_t num = space_bytes(text + start, end - start);
        if (num != end - start)
            break;
        end = start;
    }
    return num_bytes - end;
}
