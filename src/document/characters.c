#include "document/characters.h"

#include "base/check.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

uint32_t char_take(const char *text, size_t num_bytes, size_t *at) {
    UChar32 c;
    int32_t i = 0, rest = num_bytes - *at < 4 ? (int32_t)(num_bytes - *at) : 4;
    if (rest == 0)
        return 0;
    U8_NEXT((const uint8_t *)text + *at, i, rest, c);
    *at += (size_t)i;
    return c < 0 ? 0xFFFD : (uint32_t)c;
}

uint32_t char_at(const char *text, size_t num_bytes, size_t at) {
    return char_take(text, num_bytes, &at);
}

uint32_t char_before(const char *text, size_t at) {
    UChar32 c;
    size_t first = at < 4 ? 0 : at - 4;
    int32_t i = (int32_t)(at - first);
    if (i == 0)
        return 0;
    U8_PREV((const uint8_t *)text + first, 0, i, c);
    return c < 0 ? 0xFFFD : (uint32_t)c;
}

bool char_is_space(uint32_t c) {
    return u_isUWhiteSpace((UChar32)c) && c != 0xA0 && c != 0x202F;
}

bool char_is_letter(uint32_t c) {
    return u_isalpha((UChar32)c);
}

bool char_is_alphanumeric(uint32_t c) {
    return u_isalnum((UChar32)c);
}

bool char_is_lower(uint32_t c) {
    return u_islower((UChar32)c);
}

bool char_is_upper(uint32_t c) {
    return u_isupper((UChar32)c);
}

uint32_t char_lower(uint32_t c) {
    return (uint32_t)u_tolower((UChar32)c);
}

uint32_t char_upper(uint32_t c) {
    return (uint32_t)u_toupper((UChar32)c);
}

bool char_is_hangul(uint32_t c) {
    return (c >= 0x1100 && c <= 0x11FF) || (c >= 0xAC00 && c <= 0xD7AF);
}

bool char_is_wide(uint32_t c) {
    return (c >= 0x2E80 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0xFF00 && c <= 0xFF60) || (c >= 0x20000 && c <= 0x3FFFF) || char_is_hangul(c);
}

void text_trim(const char *text, size_t *begin, size_t *end) {
    for (size_t next = *begin; *begin < *end; *begin = next)
        if (!char_is_space(char_take(text, *end, &next)))
            break;
    while (*end > *begin && char_is_space(char_before(text, *end)))
        while (--*end > *begin && ((unsigned char)text[*end] & 0xC0) == 0x80)
            continue;
}

size_t text_columns(const char *text, size_t num_bytes) {
    size_t num = 0;
    for (size_t at = 0; at < num_bytes;)
        num += char_is_wide(char_take(text, num_bytes, &at)) ? 2 : 1;
    return num;
}

bool text_has_letter(const char *text, size_t num_bytes) {
    for (size_t at = 0; at < num_bytes;)
        if (char_is_letter(char_take(text, num_bytes, &at)))
            return true;
    return false;
}

bool chars_join_tightly(uint32_t before, uint32_t after) {
    return (char_is_wide(before) && !char_is_hangul(before)) ||
           (char_is_wide(after) && !char_is_hangul(after));
}

static bool is_one_of(uint32_t c, const uint32_t *list, size_t num) {
    for (size_t i = 0; i < num; i++)
        if (list[i] == c)
            return true;
    return false;
}

bool text_ends_sentence(const char *text, size_t num_bytes) {
    static const uint32_t closing[] = {'"', '\'', ')', ']', 0xBB, 0x2019, 0x201D, 0x300D, 0xFF09};
    static const uint32_t marks[] = {'.',    '!',    '?',    ':',    0x2026, 0x3002,
                                     0xFF01, 0xFF1F, 0xFF1A, 0x061F, 0x06D4, 0x0964};
    size_t begin = 0, end = num_bytes;
    text_trim(text, &begin, &end);
    uint32_t last = char_before(text, end);
    while (end > 0 && is_one_of(last, closing, COUNT_OF(closing))) {
        while (--end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80)
            continue;
        last = char_before(text, end);
    }
    return is_one_of(last, marks, COUNT_OF(marks));
}
