// Files for libraries that read and write by a path alone.
#ifndef IO_TEMPORARY_FILE_H
#define IO_TEMPORARY_FILE_H

#include "vkseq/base.h"

// Makes a file with such content in the system's folder for temporary files (TMPDIR, TEMP). *path
// is owned by the caller, who ends it with temporary_file_remove.
// Errors: VKS_ERR_IO, VKS_ERR_OOM; there is no file then.
VKS_MUST_CHECK enum vks_status temporary_file_create(const void *data, size_t num_bytes,
                                                     const struct vks_log *log, char **path);
// Removes the file, if it can be, and sets *path to NULL; NULL is fine.
void temporary_file_remove(char **path);

#endif
