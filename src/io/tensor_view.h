// A tensor of a file, wherever it lies in memory.
#ifndef IO_TENSOR_VIEW_H
#define IO_TENSOR_VIEW_H

#include "io/safetensors.h"

// All pointers are borrowed until the file that has them is closed.
struct tensor_view {
    const char *name, *path; // path: of the file, for messages
    const struct vks_log *log;
    enum safetensors_dtype dtype;
    uint32_t num_dims;
    uint64_t dims[SAFETENSORS_MAX_DIMS];
    uint64_t strides[SAFETENSORS_MAX_DIMS]; // elements from one to the next
    size_t num_elements;
    const unsigned char *data; // the first element; not always aligned
};

// A tensor of a safetensors file.
void tensor_view_of_safetensors(const struct safetensors_info *info, const char *path,
                                const struct vks_log *log, struct tensor_view *view);

// Converts a tensor of F32, F16 or BF16, row by row.
//   out  f32 [num]  written
// Errors: VKS_ERR_SHAPE if the tensor does not have num elements, VKS_ERR_UNSUPPORTED for another
// element type.
VKS_MUST_CHECK enum vks_status tensor_view_read_f32(const struct tensor_view *view, float *out,
                                                    size_t num);

// Whether both have the same type, shape and bytes.
bool tensor_view_equals(const struct tensor_view *a, const struct tensor_view *b);
// Whether all bytes are zero.
bool tensor_view_is_zero(const struct tensor_view *view);

#endif
