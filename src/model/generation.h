// How a model of Hugging Face's is translated with: generation_config.json, or where there is none
// the same fields of config.json.
#ifndef MODEL_GENERATION_H
#define MODEL_GENERATION_H

#include "model/config_fields.h"

// Reads config->generation and config->search. What is asked for and not done is a warning.
// Source: transformers, generation/configuration_utils.py.
void generation_read(struct fields_reader *reader, struct vks_model_config *config);

// The same of a model of vkseq's own: the object "decoding" of its config.json, with transformers'
// names and a "word_penalty"; what has no place there is vkseq's default. Leaves config->search.
void generation_read_own(struct fields_reader *reader, struct vks_model_config *config);
// Adds the object, unless everything is as vkseq has it by default.
void generation_add_own(struct fields_writer *writer, const struct vks_model_config *config);

// The same fields, for what transformers reads.
void generation_add(struct fields_writer *writer, const struct vks_model_config *config);

#endif
