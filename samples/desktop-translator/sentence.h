// A piece of text and its translation, with what looking at words of them takes.
#ifndef DESKTOP_SENTENCE_H
#define DESKTOP_SENTENCE_H

#include "spans.h"

#include <vkseq/tokenizer.h>
#include <vkseq/translator.h>

// Does not change once it is made, and may be used in any thread. Counted: sentence_ref,
// sentence_unref.
struct sentence {
    char *source, *text;
    struct span *source_spans, *target_spans; // of tokens, in source and text
    size_t num_source, num_target;
    float *alignment; // [num_target, num_source]; NULL: not known
};

// Copies what a translator, with alignments, has found. For the worker's thread.
struct sentence *sentence_create(const struct vks_tokenizer *tokenizer, const char *source,
                                 const struct vks_translation *translation,
                                 const struct vks_hypothesis *hypothesis);
// One that has texts alone.
struct sentence *sentence_create_plain(const char *source, const char *text);
struct sentence *sentence_ref(struct sentence *sentence);
// NULL is fine.
void sentence_unref(struct sentence *sentence);

// A word of the source, and how much of a translated word comes from it; words' weights sum to 1.
struct attended {
    struct span word;
    float weight;
};

// Source words that a word of the translation looks at, in their order: those that weigh enough to
// be worth showing. *attended is allocated (g_free), NULL if there are none.
size_t sentence_attended(const struct sentence *sentence, struct span word,
                         struct attended **attended);

#endif
