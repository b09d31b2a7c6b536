// Inside of a tokenizer.
#ifndef TEXT_TOKENIZER_OBJECT_H
#define TEXT_TOKENIZER_OBJECT_H

#include "text/languages.h"
#include "text/tokenizer_settings.h"
#include "text/spm.h"
#include "text/vocab.h"

// Whose files a model directory has.
enum tokenizer_family {
    TOKENIZER_MARIAN, // vkseq's own too
    TOKENIZER_PEGASUS,
    TOKENIZER_M2M100,
    TOKENIZER_NLLB,
    TOKENIZER_MBART50,
};

enum { TOKENIZER_SIDES = 2 };

// A file that is saved as it was read.
struct kept_file {
    const char *name;    // static
    unsigned char *data; // [num_bytes], owned
    size_t num_bytes;
};

enum { TOKENIZER_MAX_KEPT = 8 };

// Read freely; tokenizer.c and tokenizer_family.c make it.
struct vks_tokenizer {
    const struct vks_log *log;
    enum tokenizer_family family;
    struct spm *spm[TOKENIZER_SIDES];     // the same twice where both sides have one model
    struct vocab *vocab[TOKENIZER_SIDES]; // the same twice if joint
    struct tokenizer_settings settings;
    uint32_t num_pieces; // ids below are those of the source's files, others were added
    struct languages languages;
    const bool *is_hidden[TOKENIZER_SIDES]; // [vocab's size] ids that are no part of a text
    bool leads_with_code; // >>deu<< at the beginning of a text is one token, whatever it says
    bool keeps_blanks;    // a blank at a text's end is a token, as the tokenizers library has it
    bool strips;          // decoded texts have no white space around them
    // Added tokens that stand for themselves in texts; borrowed from the settings' arena.
    const struct added_token *text_tokens;
    size_t num_text_tokens;
    struct kept_file kept[TOKENIZER_MAX_KEPT];
    size_t num_kept;
};

#endif
