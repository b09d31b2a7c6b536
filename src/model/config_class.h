// Hugging Face's model classes: what they fix that their config.json does not say.
#ifndef MODEL_CONFIG_CLASS_H
#define MODEL_CONFIG_CLASS_H

#include "model/config_fields.h"

// "marian", "MarianMTModel"; not for VKS_CLASS_OWN.
const char *config_class_type(enum vks_model_class model_class);
const char *config_class_name(enum vks_model_class model_class);

// The class of a config.json that transformers, or a converter for it, has written: by its
// model_type, and because it lacks what vkseq says of positions. VKS_CLASS_OWN: none.
enum vks_model_class config_class_find(const struct fields_reader *reader);

// Fills in what the class fixes, once the shape and the tokens are known.
// Source: transformers, models/{marian,pegasus,m2m_100,mbart}/modeling_*.py.
void config_class_complete(struct fields_reader *reader, struct vks_model_config *config);

#endif
