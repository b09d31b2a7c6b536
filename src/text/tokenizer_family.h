// Model directories in the layouts of transformers: which it is, and what ids its pieces have.
// Sources: the tokenizers of transformers 5.23 (models/marian, pegasus, m2m_100, nllb, mbart50) and
// convert_slow_tokenizer.py.
#ifndef TEXT_TOKENIZER_FAMILY_H
#define TEXT_TOKENIZER_FAMILY_H

#include "text/tokenizer_object.h"

// Finds out by the files of a directory which family it is, and reads the settings.
// What lacks files may pass for TOKENIZER_MARIAN, whose are then missing.
// Errors: VKS_ERR_FORMAT for a vocabulary of a kind that is not supported, those of
// tokenizer_settings_read.
VKS_MUST_CHECK enum vks_status tokenizer_family_find(const char *model_dir,
                                                     struct vks_tokenizer *tokenizer);

// Loads the model and the vocabulary of any family but TOKENIZER_MARIAN.
// Errors: VKS_ERR_IO, VKS_ERR_FORMAT, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status tokenizer_family_load(const char *model_dir,
                                                     struct vks_tokenizer *tokenizer);

// What follows when models and vocabularies are there, in every family: added tokens, languages,
// and which ids are no part of a text. Errors: VKS_ERR_FORMAT, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status tokenizer_family_complete(struct vks_tokenizer *tokenizer);

// Reads the files of a directory that are saved as they are. Errors: VKS_ERR_IO, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status tokenizer_family_keep(const char *model_dir,
                                                     struct vks_tokenizer *tokenizer);

#endif
