// The languages that a vocabulary has tokens for.
#ifndef TEXT_LANGUAGES_H
#define TEXT_LANGUAGES_H

#include "base/arena.h"
#include "vkseq/base.h"

struct language {
    const char *code; // "deu_Latn": without what the token has around it
    uint32_t id;
};

// Zero-initialised is none. In the order of ids.
struct languages {
    struct language *items; // [num], in an arena
    uint32_t num, capacity;
};

// code: num_bytes of it, copied. False when there is no memory.
bool languages_add(struct languages *languages, const char *code, size_t num_bytes, uint32_t id,
                   struct arena *arena);

// The place of a code, which may be written as its token (__de__, >>deu<<), or num.
uint32_t languages_find(const struct languages *languages, const char *code);
// The place of the language with an id, or num.
uint32_t languages_find_id(const struct languages *languages, uint32_t id);

// Says that there is no such language, and which are near it; else which there are.
void languages_report_unknown(const struct languages *languages, const char *code,
                              const struct vks_log *log);

// Says that `what` ("source language") has to be named, and which languages there are.
void languages_report_missing(const struct languages *languages, const char *what,
                              const struct vks_log *log);

#endif
