#include "vkseq/base.h"

// Bytes of the well-formed character at text, or 0. Source: The Unicode Standard 15, table 3-7.
static size_t utf8_length(const unsigned char *text, size_t num_bytes) {
    unsigned char first = text[0], low = 0x80, high = 0xBF;
    if (first < 0x80)
        return 1;
    size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (first < 0xC2 || first > 0xF4 || length > num_bytes)
        return 0;
    if (first == 0xE0)
        low = 0xA0; // no longer forms
    else if (first == 0xED)
        high = 0x9F; // no surrogates
    else if (first == 0xF0)
        low = 0x90;
    else if (first == 0xF4)
        high = 0x8F; // nothing past U+10FFFF
    if (text[1] < low || text[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if (text[i] < 0x80 || text[i] > 0xBF)
            return 0;
    return length;
}

bool vks_utf8_is_valid(const char *text, size_t num_bytes) {
    for (size_t i = 0, length; i < num_bytes; i += length) {
        length = utf8_length((const unsigned char *)text + i, num_bytes - i);
        if (length == 0)
            return false;
    }
    return true;
}
