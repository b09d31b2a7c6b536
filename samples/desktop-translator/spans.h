// Where the tokens and words of a text stand in it, in characters.
#ifndef DESKTOP_SPANS_H
#define DESKTOP_SPANS_H

#include <stdbool.h>
#include <stddef.h>

// Characters start to end - 1.
struct span {
    int start, end;
};

// Finds the texts of tokens, one behind the other, in the text that they stand for. Spaces, case
// and forms that Unicode calls compatible do not count. A token that is not found, such as an
// unknown character's, gets all that lies between those around it; an empty one gets an empty span.
//   spans  [num]  out
void spans_find(const char *text, const char *const *tokens, size_t num, struct span *spans);

// The word around a character: what stands between white space, or one character of a script that
// does without. Empty where there is none.
struct span span_of_word(const char *text, int position);

// The next word from a character on, empty behind the last one.
struct span span_next_word(const char *text, int position);

bool spans_overlap(struct span a, struct span b);

// The characters of a span, allocated (g_free).
char *span_text(const char *text, struct span span);

#endif
