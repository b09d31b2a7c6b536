// tokenizer.json of the tokenizers library, for directories without a SentencePiece model: what
// transformers saves of Pegasus, NLLB and mBART-50.
#ifndef TEXT_TOKENIZER_JSON_H
#define TEXT_TOKENIZER_JSON_H

#include "text/tokenizer_settings.h"

// The first pieces of a SentencePiece model, which are not those of tokenizer.json.
struct spm_layout {
    const char *pieces[3];
    int32_t unk, bos, eos, pad; // their places; -1: there is no such piece
    uint32_t first_id;          // in tokenizer.json, of the piece behind them
};

// A tokenizer.json to be read. name: what messages call it.
struct tokenizer_json {
    const char *json; // [num_bytes], a NUL stands past the end
    size_t num_bytes;
    const char *name;
    const struct vks_log *log;
    const struct spm_layout *layout;
};

// Makes a SentencePiece model that cuts texts as tokenizer.json says: of a Unigram model with the
// same scores, of a byte-pair encoding with scores in the order of ids, which is that of merges.
// The rules of normalisation are taken over, and so are added tokens, into the settings, unless
// these have some.
//   model  allocated, owned by the caller (free)
// Errors: VKS_ERR_FORMAT, VKS_ERR_OOM.
// Sources: sentencepiece_model.proto; what the tokenizers library 0.23 writes.
VKS_MUST_CHECK enum vks_status tokenizer_json_to_spm(const struct tokenizer_json *params,
                                                     struct tokenizer_settings *settings,
                                                     unsigned char **model, size_t *model_bytes);

#endif
