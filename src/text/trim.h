// White space at the ends of texts, as Python's str.strip has it.
#ifndef TEXT_TRIM_H
#define TEXT_TRIM_H

#include <stddef.h>

// Bytes of white space that a UTF-8 text begins with, and ends with.
size_t trim_left_bytes(const char *text, size_t num_bytes);
size_t trim_right_bytes(const char *text, size_t num_bytes);

#endif
