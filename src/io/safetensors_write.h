// Writes named tensors to a file that safetensors.h reads.
#ifndef IO_SAFETENSORS_WRITE_H
#define IO_SAFETENSORS_WRITE_H

#include "io/safetensors.h"

struct safetensors_tensor {
    const char *name;
    enum safetensors_dtype dtype;
    uint32_t num_dims;
    uint64_t dims[SAFETENSORS_MAX_DIMS];
    const void *data; // NULL: safetensors_write_params.fill gives the bytes
};

struct safetensors_write_params {
    const struct safetensors_tensor *tensors;
    size_t num_tensors;
    const char *const (*metadata)[2]; // key, value
    size_t num_metadata;
    // Puts num_bytes bytes of tensors[tensor_idx], from offset_bytes on, into chunk: whole
    // elements, in ascending order. Another status than VKS_OK ends the writing.
    enum vks_status (*fill)(void *user, size_t tensor_idx, uint64_t offset_bytes, void *chunk,
                            size_t num_bytes);
    void *user;
    const struct vks_log *log;
};

// Writes a file in one step. Data stand by falling element size, otherwise in the given order, so
// that each tensor is aligned to its elements.
// Errors: VKS_ERR_IO, VKS_ERR_OOM, VKS_ERR_ARGUMENT if two tensors have one name or a size
// overflows, and whatever fill returns; an old file of that name is then still there.
VKS_MUST_CHECK enum vks_status safetensors_write(const char *path,
                                                 const struct safetensors_write_params *params);

#endif
