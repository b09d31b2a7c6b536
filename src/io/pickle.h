// Python's pickles, as far as PyTorch describes tensors with them. Nothing is ever called: the few
// names that tensors need have a fixed meaning here, and all others are refused.
// Source: Python's pickletools, protocols 2 to 4; PyTorch's torch/_utils.py, _rebuild_tensor_v2.
#ifndef IO_PICKLE_H
#define IO_PICKLE_H

#include "base/arena.h"
#include "io/safetensors.h"

// A stretch of a storage, which is a file of its own. Names lie in the arena.
struct pickle_tensor {
    const char *name, *storage;
    enum safetensors_dtype dtype;
    uint64_t storage_elements, offset; // in elements
    uint32_t num_dims;
    uint64_t dims[SAFETENSORS_MAX_DIMS], strides[SAFETENSORS_MAX_DIMS];
};

// In the order of the file, in the arena.
struct pickle_tensors {
    struct pickle_tensor *items; // [num]
    size_t num;
};

// Reads a dictionary of tensors; every
// element of a tensor lies in its storage, and no two have one name. name: what messages call the
// text. Errors: VKS_ERR_FORMAT; VKS_ERR_UNSUPPORTED for an instruction or a name that tensors do
// not need, an element type not listed, more than SAFETENSORS_MAX_DIMS dimensions; VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status pickle_read_tensors(const void *bytes, size_t num_bytes,
                                                   const char *name, const struct vks_log *log,
                                                   struct arena *arena,
                                                   struct pickle_tensors *tensors);

#endif
