// What a model has no token for, taken from the source.
#ifndef DECODE_UNKNOWN_WORDS_H
#define DECODE_UNKNOWN_WORDS_H

#include "decode/source_alignment.h"
#include "text/token_frame.h"

struct unknown_words {
    const struct vks_tokenizer *tokenizer; // borrowed, as the others
    struct attention_maps *maps;           // what alignments come from
    struct token_frame frame;              // of sources
    bool has_first;                        // hypotheses begin with a token that is no text
};

// In the texts of hypotheses that have <unk>, puts the source token in its place that its attention
// is on most, one that is unknown, too, if there is any: after Luong et al. 2015, arXiv:1410.8206,
// section 3.3, with the model's own attention.
//   source_text   what `source` was made of
//   translation   with texts; with alignments or without
// Errors: VKS_ERR_OOM, those of programs.
enum vks_status unknown_words_replace(const struct unknown_words *params,
                                      const struct sentence *source, const char *source_text,
                                      struct vks_translation *translation);

#endif
