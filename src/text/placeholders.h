// What is in a text and is no language: format specifications, variables, tags, addresses. A model
// can be taught to carry them over; they are masked then, each by a symbol of the vocabulary.
#ifndef TEXT_PLACEHOLDERS_H
#define TEXT_PLACEHOLDERS_H

#include "vkseq/base.h"

// The vocabulary's symbols are <ph0> to <ph15>.
enum { PLACEHOLDERS_MAX = 16, PLACEHOLDERS_MAX_SYMBOL_BYTES = 6 };

// Bytes of a text.
struct text_span {
    size_t begin, num_bytes;
};

// The placeholders of a text, in order.
struct placeholders {
    const char *text; // borrowed
    struct text_span spans[PLACEHOLDERS_MAX];
    size_t num;
    bool has_more; // than these
};

// What stands for a span: symbols before and behind it, or one in its place.
struct text_mask {
    struct text_span span;
    uint32_t symbol; // below PLACEHOLDERS_MAX
    bool wraps;      // symbol, the span, symbol + 1; default: the symbol alone
};

// Bytes of the placeholder of a UTF-8 text that begins at `at`, 0 if none does: %s, %1$d, %(name)s,
// %NAME, {0}, {{name}}, {\an8}, ${name}, $(NAME), $[name], $NAME, @NAME@, #NAME#, <tags>,
// &entities;, escapes as \n, addresses.
size_t placeholders_length(const char *text, size_t num_bytes, size_t at);

// Finds these in a text.
void placeholders_find(const char *text, size_t num_bytes, struct placeholders *found);

// A copy of the text with masks, which are in order and apart; NULL if there is no memory. It ends
// with a NUL that *num_masked does not count and is owned by the caller (free).
char *placeholders_mask(const char *text, size_t num_bytes, const struct text_mask *masks,
                        size_t num_masks, size_t *num_masked);

// Symbols for the placeholders of a translation of a text whose own have the symbols 0, 1, ...:
// each one takes the first free symbol of the same bytes.
//   masks  [source->num]; written
// Returns how many; *is_whole: all of the text's have their like, and nothing else is there.
size_t placeholders_match(const struct placeholders *source, const char *translation,
                          size_t num_bytes, struct text_mask *masks, bool *is_whole);

// A copy of a translation with the text's placeholders in the place of their symbols, and without
// symbols that stand for nothing; NULL if there is no memory. Owned by the caller (free).
// *is_whole: each one came back once.
char *placeholders_restore(const struct placeholders *source, const char *translation,
                           bool *is_whole);

#endif
