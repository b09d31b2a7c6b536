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

// What stands for a span: symbols before and behind it, or one in its place.
struct text_mask {
    struct text_span span;
    uint32_t symbol; // below PLACEHOLDERS_MAX
    bool wraps;      // symbol, the span, symbol + 1; default: the symbol alone
};

// The placeholders of a UTF-8 text, in order, `max` at most: %s, %1$d, %(name)s, %NAME, {0},
// ${name}, $(NAME), $NAME, @NAME@, #NAME#, <tags>, &entities;, escapes as \n, addresses. Returns
// how many.
size_t placeholders_find(const char *text, size_t num_bytes, struct text_span *spans, size_t max);

// A copy of the text with masks, which are in order and apart; NULL if there is no memory. It ends
// with a NUL that *num_masked does not count and is owned by the caller (free).
char *placeholders_mask(const char *text, size_t num_bytes, const struct text_mask *masks,
                        size_t num_masks, size_t *num_masked);

// Symbols for the placeholders of a translation of a text whose placeholders are spans [num], with
// the symbols 0 to num - 1: each one takes the first free symbol of the same bytes.
//   masks  [num]; written. Returns how many; *is_whole: all of spans have their like, and nothing
//   else is there.
size_t placeholders_match(const char *text, const struct text_span *spans, size_t num,
                          const char *translation, size_t num_bytes, struct text_mask *masks,
                          bool *is_whole);

// A copy of a translation in which the symbols stand for the spans [num] of a text again, without
// those that stand for nothing; NULL if there is no memory. Owned by the caller (free).
// *is_whole: each span came back once.
char *placeholders_restore(const char *translation, const char *text, const struct text_span *spans,
                           size_t num, bool *is_whole);

#endif
