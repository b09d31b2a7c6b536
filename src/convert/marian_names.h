// What Marian calls the parameters of a Transformer.
#ifndef CONVERT_MARIAN_NAMES_H
#define CONVERT_MARIAN_NAMES_H

#include "vkseq/model.h"

enum { MARIAN_NAME_BYTES = 64 };

// How Marian keeps a parameter: matrices as [in, out], embeddings as [V, D], vectors as [1, n].
enum marian_kind { MARIAN_MATRIX, MARIAN_EMBEDDING, MARIAN_VECTOR };

struct marian_name {
    char text[MARIAN_NAME_BYTES];
    enum marian_kind kind;
};

// The name for one of Hugging Face's names; false if Marian has no such parameter.
// Source: the names that marian-dev 1.12 reads, src/models/transformer.h.
bool marian_name_of(const char *name, bool pre_norm, struct marian_name *result);

// The text of special:model.yml and of decoder.yml, owned by the caller (free); NULL when there is
// no memory. Vocabularies are counted without <pad>.
//   vocabs [2]  names of the vocabularies' files
char *marian_model_options(const struct vks_model_config *config);
char *marian_decoder_options(const char *const vocabs[2]);

#endif
