// Lines of text cut into the parts that are translated one by one, and put together again.
#ifndef DECODE_PASSAGES_H
#define DECODE_PASSAGES_H

#include "text/segments.h"
#include "vkseq/translator.h"

struct passage {
    struct segments segments;
    size_t first_part; // its segments are parts first_part, first_part + 1, ...
};

// Zero-initialised is empty; free with passages_free.
struct passages {
    struct passage *lines; // [num_lines]
    size_t num_lines;
    char **parts;           // [num_parts], NUL-terminated
    uint64_t *line_numbers; // [num_parts], from 1
    size_t num_parts;
};

struct passages_params {
    const struct vks_tokenizer *tokenizer; // borrowed
    size_t max_tokens;                     // of a part, without </s>
    bool cut_sentences;                    // else only lines that are too long are cut
    uint64_t first_line;                   // number of the first line, from 0
    const struct vks_log *log;
};

// Errors: VKS_ERR_FORMAT for text that is not UTF-8, VKS_ERR_OOM; passages is empty then.
VKS_MUST_CHECK enum vks_status passages_cut(const struct passages_params *params,
                                            const char *const *lines, size_t num_lines,
                                            struct passages *passages);

// The translations of the lines out of those of the parts, whose hypotheses they take: a line in
// one part has all of them; one in several has the best, with the sums of their figures.
//   parts         [num_parts]
//   translations  [num_lines], zeroed; written
// Errors: VKS_ERR_OOM; what was written is to be freed also then.
VKS_MUST_CHECK enum vks_status passages_join(const struct passages *passages,
                                             struct vks_translation *parts,
                                             struct vks_translation *translations);

void passages_free(struct passages *passages);

#endif
