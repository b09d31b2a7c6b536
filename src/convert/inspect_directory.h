// What there is to know about a model's directory in Hugging Face's layout.
#ifndef CONVERT_INSPECT_DIRECTORY_H
#define CONVERT_INSPECT_DIRECTORY_H

#include "convert/inspection.h"
#include "io/tensor_set.h"

// Facts and problems of config.json, weights and vocabularies.
void inspect_directory(const char *dir, struct vks_inspection *inspection);

// Facts and problems of a config.json by itself.
void inspect_config_file(const char *path, struct vks_inspection *inspection);

// The tensors, how many numbers they have and of which types.
void inspect_tensors(const struct tensor_set *set, struct vks_inspection *inspection);

#endif
