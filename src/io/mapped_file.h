// A whole file as memory that may be read.
#ifndef IO_MAPPED_FILE_H
#define IO_MAPPED_FILE_H

#include "vkseq/base.h"

// Zero-initialised is no file. A file that another program cuts short while it is mapped ends the
// process; vkseq replaces files and never does that.
struct mapped_file {
    const unsigned char *bytes; // [num_bytes]
    size_t num_bytes;
};

// kind: what the file should be, for messages, e.g. "safetensors".
// Errors: VKS_ERR_IO; VKS_ERR_FORMAT for what is no regular file or has fewer than min_bytes > 0.
VKS_MUST_CHECK enum vks_status mapped_file_open(const char *path, const char *kind,
                                                size_t min_bytes, const struct vks_log *log,
                                                struct mapped_file *file);
void mapped_file_close(struct mapped_file *file);

#endif
