// What there is to know about a model's directory in Hugging Face's layout.
#ifndef CONVERT_INSPECT_DIRECTORY_H
#define CONVERT_INSPECT_DIRECTORY_H

#include "convert/inspection.h"
#include "io/tensor_set.h"

// Facts and problems of config.json, weights and vocabularies.
void inspect_directory(const char *dir, struct vks_inspection *inspection);

// Facts and problems of a config.json by itself.
void inspect_config_file(const char *path, struct vks_inspection *inspection);

// Facts of a configuration.
void inspect_add_config(const struct vks_model_config *config, struct vks_inspection *inspection);

// Facts and problems of the vocabularies of a model's directory. config: NULL if it is not known.
void inspect_vocabularies(const char *dir, const struct vks_model_config *config,
                          struct vks_inspection *inspection);

// The tensors, how many numbers they have and of which types.
void inspect_tensors(const struct tensor_set *set, struct vks_inspection *inspection);

#endif
