// What Marian wants to know about a model, in YAML.
#ifndef CONVERT_MARIAN_OPTIONS_H
#define CONVERT_MARIAN_OPTIONS_H

#include "vkseq/model.h"

// The text of special:model.yml, and of decoder.yml; owned by the caller (free). NULL when there is
// no memory. Vocabularies are counted without <pad>.
//   vocabs [2]  names of the vocabularies' files
char *marian_model_options(const struct vks_model_config *config);
char *marian_decoder_options(const struct vks_model_config *config, const char *const vocabs[2]);

#endif
