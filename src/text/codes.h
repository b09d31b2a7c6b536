// Texts as code points, and the words in them.
#ifndef TEXT_CODES_H
#define TEXT_CODES_H

#include "vkseq/base.h"

// A growing text. Zero-initialised is empty. Running out of memory is remembered, so that a series
// of pushes is checked once.
struct codes {
    uint32_t *items; // owned
    size_t num, capacity;
    bool is_out_of_memory;
};

void codes_push(struct codes *codes, uint32_t code);
// Makes codes the text of UTF-8; malformed bytes become U+FFFD.
// Errors: VKS_ERR_ARGUMENT if the text is longer than 1 GiB, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status codes_read(const char *utf8, struct codes *codes);
void codes_finish(struct codes *codes);

// True for the characters at which Python's str.split cuts.
bool code_is_space(uint32_t code);
bool code_is_digit(uint32_t code); // 0 to 9

// Part of a text; the text is borrowed.
struct word {
    const uint32_t *codes;
    size_t num;
};

// Finds the next word between white space, from *at on, and moves *at behind it; false if there is
// none.
bool word_next(const struct codes *codes, size_t *at, struct word *word);

#endif
