// Translations as lines of text, in Marian's format.
#ifndef COMMAND_PRINT_TRANSLATION_H
#define COMMAND_PRINT_TRANSLATION_H

#include "vkseq/vkseq.h"

#include <stdio.h>

struct print_params {
    bool n_best; // all hypotheses, with the line's number and scores
    bool with_alignment, is_soft, with_word_scores;
    uint32_t eos_id;    // of the source: what no token comes from
    size_t num_printed; // bytes of the first text that stand there already
};

// One line, or one for each hypothesis. line_idx: from 0.
void print_translation(FILE *file, const struct print_params *params, uint64_t line_idx,
                       const struct vks_translation *translation);

#endif
