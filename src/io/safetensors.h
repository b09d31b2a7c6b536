// Named tensors in a file: an 8-byte little-endian header length, a JSON object from name to
// {"dtype", "shape", "data_offsets": [begin, end]} with an optional "__metadata__" of texts, then
// the data, row by row, without gaps. Source: https://huggingface.co/docs/safetensors
#ifndef IO_SAFETENSORS_H
#define IO_SAFETENSORS_H

#include "vkseq/base.h"

// name in the file, bytes an element
#define SAFETENSORS_DTYPE_LIST(X)                                                                  \
    X(F64, 8)                                                                                      \
    X(F32, 4)                                                                                      \
    X(F16, 2)                                                                                      \
    X(BF16, 2)                                                                                     \
    X(I64, 8)                                                                                      \
    X(I32, 4)                                                                                      \
    X(I16, 2)                                                                                      \
    X(I8, 1)                                                                                       \
    X(U64, 8)                                                                                      \
    X(U32, 4)                                                                                      \
    X(U16, 2)                                                                                      \
    X(U8, 1)                                                                                       \
    X(BOOL, 1)

enum safetensors_dtype {
#define SAFETENSORS_DTYPE_ENUM(name, num_bytes) SAFETENSORS_##name,
    SAFETENSORS_DTYPE_LIST(SAFETENSORS_DTYPE_ENUM)
#undef SAFETENSORS_DTYPE_ENUM
};

enum { SAFETENSORS_MAX_DIMS = 8 };

// "F32"; never NULL.
const char *safetensors_dtype_name(enum safetensors_dtype dtype);
size_t safetensors_dtype_bytes(enum safetensors_dtype dtype);

// An open file, mapped into memory. Immutable: any thread may read. A file that another program
// cuts short while it is open ends the process; vkseq replaces files and never does that.
struct safetensors;

// All pointers are borrowed until safetensors_close.
struct safetensors_info {
    const struct safetensors *file;
    const char *name;
    enum safetensors_dtype dtype;
    uint32_t num_dims; // 0: a scalar
    uint64_t dims[SAFETENSORS_MAX_DIMS];
    size_t num_elements, num_bytes;
    const unsigned char *data; // in files of other programs not always aligned
};

// Maps a file and checks its whole header. log is borrowed until safetensors_close.
// Errors: VKS_ERR_IO; VKS_ERR_FORMAT for a header that is not as the format demands, says
// something twice, or does not cover the data exactly; VKS_ERR_UNSUPPORTED for an element type not
// listed here or more than SAFETENSORS_MAX_DIMS dimensions; VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status safetensors_open(const char *path, const struct vks_log *log,
                                                struct safetensors **file);
// The same for a file in memory. bytes: borrowed until safetensors_close. name: what messages call
// the file.
VKS_MUST_CHECK enum vks_status safetensors_parse(const void *bytes, size_t num_bytes,
                                                 const char *name, const struct vks_log *log,
                                                 struct safetensors **file);
void safetensors_close(struct safetensors **file);

size_t safetensors_num_tensors(const struct safetensors *file);
// The tensor_idx-th tensor in the order of the data; tensor_idx < safetensors_num_tensors.
const struct safetensors_info *safetensors_at(const struct safetensors *file, size_t tensor_idx);
// False, and *info untouched, if there is no tensor of that name.
bool safetensors_find(const struct safetensors *file, const char *name,
                      struct safetensors_info *info);
// The metadata's text for a key, or NULL; borrowed until safetensors_close.
const char *safetensors_metadata(const struct safetensors *file, const char *key);

// Converts a tensor of F32, F16 or BF16.
//   out  f32 [num]  written
// Errors: VKS_ERR_SHAPE if the tensor does not have num elements, VKS_ERR_UNSUPPORTED for another
// element type.
VKS_MUST_CHECK enum vks_status safetensors_read_f32(const struct safetensors_info *info, float *out,
                                                    size_t num);

#endif
