// What torch.save makes of a dictionary of tensors, such as pytorch_model.bin: a zip archive of a
// pickle, which says what is where, and of a file for each storage.
#ifndef IO_TORCH_FILE_H
#define IO_TORCH_FILE_H

#include "io/tensor_view.h"

// An open file, mapped into memory. Immutable.
struct torch_file;

// Reads what tensors there are, and checks every storage that they lie in by its checksum. Nothing
// in the file is ever run. log is borrowed until torch_file_close.
// Errors: VKS_ERR_IO; VKS_ERR_FORMAT; VKS_ERR_UNSUPPORTED for what is no dictionary of dense
// tensors of the machine's byte order, and for files from before PyTorch 1.6; VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status torch_file_open(const char *path, const struct vks_log *log,
                                               struct torch_file **file);
// The same for a file in memory. bytes: borrowed until torch_file_close. name: what messages call
// the file.
VKS_MUST_CHECK enum vks_status torch_file_parse(const void *bytes, size_t num_bytes,
                                                const char *name, const struct vks_log *log,
                                                struct torch_file **file);
void torch_file_close(struct torch_file **file);

size_t torch_file_num_tensors(const struct torch_file *file);
// In the order of the file; tensor_idx < torch_file_num_tensors. Borrowed until torch_file_close.
const struct tensor_view *torch_file_at(const struct torch_file *file, size_t tensor_idx);

#endif
