// A temporary file that is written from front to back and then read anywhere. It has no name while
// it lives where the system allows that, so that nothing is left behind by a killed process.
#ifndef IO_SPILL_FILE_H
#define IO_SPILL_FILE_H

#include "vkseq/base.h"

struct spill_file;

// Makes one in an existing folder. log: borrowed while it lives. Errors: VKS_ERR_IO, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status spill_file_create(const char *folder, const struct vks_log *log,
                                                 struct spill_file **file);
void spill_file_destroy(struct spill_file **file);

// Appends bytes; *offset is where they stand. Errors: VKS_ERR_IO, also when the disk is full.
VKS_MUST_CHECK enum vks_status spill_file_append(struct spill_file *file, const void *data,
                                                 size_t num_bytes, uint64_t *offset);
// Reads bytes that were appended. Nothing is appended after the first of these.
// Errors: VKS_ERR_IO.
VKS_MUST_CHECK enum vks_status spill_file_read(struct spill_file *file, uint64_t offset, void *data,
                                               size_t num_bytes);

#endif
