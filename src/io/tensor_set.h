// The tensors of a model, in one file or in several ("shards") that an index names.
#ifndef IO_TENSOR_SET_H
#define IO_TENSOR_SET_H

#include "io/tensor_view.h"

// Open files. Immutable.
struct tensor_set;

// Opens those of a folder: the first that there is of model.safetensors,
// model.safetensors.index.json, pytorch_model.bin, pytorch_model.bin.index.json.
// log is borrowed until tensor_set_close.
// Errors: VKS_ERR_IO, also if there is none of them; those of safetensors_open and torch_file_open;
// VKS_ERR_FORMAT for an index that does not say what its files have.
VKS_MUST_CHECK enum vks_status tensor_set_open(const char *dir, const struct vks_log *log,
                                               struct tensor_set **set);
// Opens one safetensors file.
VKS_MUST_CHECK enum vks_status tensor_set_open_file(const char *path, const struct vks_log *log,
                                                    struct tensor_set **set);
void tensor_set_close(struct tensor_set **set);

// The log that the set was opened with.
const struct vks_log *tensor_set_log(const struct tensor_set *set);
// What messages call the tensors: the file that they are in, or the index.
const char *tensor_set_path(const struct tensor_set *set);
size_t tensor_set_num(const struct tensor_set *set);
// In strcmp order of their names; tensor_idx < tensor_set_num. Borrowed until tensor_set_close.
const struct tensor_view *tensor_set_at(const struct tensor_set *set, size_t tensor_idx);
// NULL if there is no tensor of that name.
const struct tensor_view *tensor_set_find(const struct tensor_set *set, const char *name);

#endif
