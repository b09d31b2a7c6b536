// Well-formed UTF-8.
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

// Whether all of the text is UTF-8: no overlong forms, surrogates, or cut characters.
// Source: RFC 3629, section 4.
bool utf8_is_valid(const char *text, size_t num_bytes);

#endif
