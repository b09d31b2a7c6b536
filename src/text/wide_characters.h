// Characters of scripts that are written without blanks.
#ifndef TEXT_WIDE_CHARACTERS_H
#define TEXT_WIDE_CHARACTERS_H

#include <stdbool.h>
#include <unicode/umachine.h>

// Chinese and Japanese characters, and their punctuation.
static inline bool character_is_wide(UChar32 c) {
    return (c >= 0x2e80 && c <= 0x9fff) || (c >= 0xf900 && c <= 0xfaff) ||
           (c >= 0xff00 && c <= 0xffef) || (c >= 0x20000 && c <= 0x3ffff);
}

#endif
