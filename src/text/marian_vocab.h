// Vocabularies of Marian's models: SentencePiece models, whose pieces' numbers are the ids, or YAML
// maps of words or pieces to ids.
#ifndef TEXT_MARIAN_VOCAB_H
#define TEXT_MARIAN_VOCAB_H

#include "text/spm.h"
#include "text/vocab.h"

// What cuts the text of a side, and its ids.
struct marian_side {
    struct spm *spm;     // owned
    struct vocab *vocab; // owned
};

// Loads both sides of a model: marian_folder_is(path). <pad> comes after all rows of the model's
// embeddings. Where both have one vocabulary, the target's is NULL. Without SentencePiece models
// beside a YAML vocabulary, text is cut at blanks.
// Errors: VKS_ERR_IO, VKS_ERR_FORMAT, VKS_ERR_ARGUMENT where no vocabulary is found; VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status marian_vocab_load(const char *path, const struct vks_log *log,
                                                 struct marian_side sides[2]);

// Reads a YAML vocabulary; num_rows: ids that the model has at least, <pad> not included.
//   text  [num_bytes]
// is_words: its entries are words, which get SentencePiece's mark of a blank. name: what messages
// call it. Errors: VKS_ERR_FORMAT, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status marian_vocab_parse(const struct vocab_text *text, uint32_t num_rows,
                                                  bool is_words, const struct vks_log *log,
                                                  struct vocab **vocab);

#endif
