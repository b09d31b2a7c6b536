// Lines of text as token ids, and whether a tokenizer fits a model.
#ifndef DECODE_SENTENCES_H
#define DECODE_SENTENCES_H

#include "decode/search.h"
#include "text/tokenizer_frame.h"

// Errors: VKS_ERR_ARGUMENT when vocabulary sizes, </s> or <pad> differ; the log says which.
enum vks_status sentences_check_vocabulary(const struct vks_model_config *config,
                                           const struct vks_tokenizer *tokenizer,
                                           const struct vks_log *log);

struct sentences_params {
    const struct vks_tokenizer *tokenizer; // borrowed
    enum vks_side side;
    struct token_frame frame;     // </s>, and what else stands around the tokens of a line
    uint32_t max_tokens;          // frame included; what is longer is cut, with a warning
    bool keep_empty;              // an empty line has no tokens, not even </s>
    uint64_t first_line;          // number of the first line in messages, from 0
    const uint64_t *line_numbers; // [num_lines], from 1, instead; NULL: none
    const struct vks_log *log;
};

// The ids of every line, with its frame. *sentences is [num_lines]; free with sentences_free.
// Errors: VKS_ERR_FORMAT for text that is not UTF-8, VKS_ERR_OOM.
enum vks_status sentences_encode(const struct sentences_params *params, const char *const *lines,
                                 size_t num_lines, struct sentence **sentences);
void sentences_free(struct sentence *sentences, size_t num_sentences);

#endif
