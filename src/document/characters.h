// Characters of UTF-8 texts, as the formats of documents need to tell them apart.
#ifndef DOCUMENT_CHARACTERS_H
#define DOCUMENT_CHARACTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The character that begins at `at`, which moves behind it; 0 at the end.
uint32_t char_take(const char *text, size_t num_bytes, size_t *at);
// The character that begins, or ends, at `at`; 0 at the end, or the begin.
uint32_t char_at(const char *text, size_t num_bytes, size_t at);
uint32_t char_before(const char *text, size_t at);

bool char_is_space(uint32_t c); // no-break spaces are none
bool char_is_letter(uint32_t c);
bool char_is_alphanumeric(uint32_t c);
bool char_is_lower(uint32_t c);
bool char_is_upper(uint32_t c);
uint32_t char_lower(uint32_t c);
uint32_t char_upper(uint32_t c);
// Chinese, Japanese and Korean characters, which take two columns. Korean has blanks between words.
bool char_is_wide(uint32_t c);
bool char_is_hangul(uint32_t c);

// The bytes [*begin, *end) without white space around.
void text_trim(const char *text, size_t *begin, size_t *end);
// Columns of a text.
size_t text_columns(const char *text, size_t num_bytes);
bool text_has_letter(const char *text, size_t num_bytes);
// Whether two texts that end and begin with these characters are joined without a blank.
bool chars_join_tightly(uint32_t before, uint32_t after);
// Whether a text ends as a sentence does, behind closing quotes and brackets: . ! ? and the like.
bool text_ends_sentence(const char *text, size_t num_bytes);

#endif
