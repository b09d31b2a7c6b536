// A text shared out to several places by length.
#ifndef DOCUMENT_SHARING_H
#define DOCUMENT_SHARING_H

#include <stddef.h>

// Cuts a text between words into num parts, about as long as the weights say, and rather behind
// punctuation and outside of tags. ends [num]: where each part ends, white space included; the last
// one is the text's end. Parts are empty only where there are too few words.
void share_text(const char *text, const size_t *weights, size_t num, size_t *ends);

#endif
