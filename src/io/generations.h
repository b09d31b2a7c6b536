// Training states as numbered folders ROOT/gen-00000001, ...: each is written aside, checksummed,
// synced, and appears by one rename. The caller keeps other processes away from ROOT
// (lock_acquire).
#ifndef IO_GENERATIONS_H
#define IO_GENERATIONS_H

#include "vkseq/base.h"

// One being written. Zero-initialised is none.
struct generation {
    char *root, *path; // owned; files go into path, which is ROOT/.tmp-NUMBER
    uint32_t number;
    const struct vks_log *log;
};

// Makes the folder for the generation after the newest one, and ROOT if need be. log is borrowed
// until commit or abort. Errors: VKS_ERR_IO, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status generation_begin(const char *root, const struct vks_log *log,
                                                struct generation *generation);

// Writes the checksums of all files in generation->path, renames it, and removes generations older
// than the newest keep_last (1 or more) and what interrupted ones have left; what cannot be removed
// is only a warning. The generation is finished, also by a failure.
// Errors: VKS_ERR_IO, VKS_ERR_OOM, VKS_ERR_UNSUPPORTED if there is anything but regular files in
// it; ROOT then holds what it held before. (Where only the last sync of ROOT fails, the new
// generation is there, whole, but may not outlast a power cut.)
VKS_MUST_CHECK enum vks_status generation_commit(struct generation *generation, uint32_t keep_last);

// Removes what was written; no effect on a finished or zeroed generation.
void generation_abort(struct generation *generation);

// The folder of the newest generation whose files are all as they were written; newer damaged ones
// are warned of. *path is allocated and owned by the caller (free), and is "" when there is no
// generation at all.
// Errors: VKS_ERR_FORMAT if all are damaged, VKS_ERR_IO, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status generation_open_newest(const char *root, const struct vks_log *log,
                                                      char **path);

enum { GENERATION_FAULT_BYTES = 256 };

// Whether all files of a folder are as the text of their manifest (checksums.json) says; else what
// is wrong.
bool generation_check(const char *directory, const char *manifest, size_t num_bytes,
                      char fault[GENERATION_FAULT_BYTES]);

#endif
