// Files and folders: read whole, replaced in one step, listed, removed, locked.
//
// Every error names the path and the system's reason. A power cut leaves either the old or the new
// content of a replaced file, never a part of it.
#ifndef IO_FILES_H
#define IO_FILES_H

#include "io/hash64.h"
#include "vkseq/base.h"

#include <stdio.h>

// Reads a file, or a pipe to its end. *data is allocated and owned by the caller (free); a NUL that
// *num_bytes does not count stands past the end.
// Errors: VKS_ERR_IO, VKS_ERR_FORMAT if there are more than max_bytes, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status file_read(const char *path, size_t max_bytes,
                                         const struct vks_log *log, unsigned char **data,
                                         size_t *num_bytes);
// The same for standard input.
VKS_MUST_CHECK enum vks_status file_read_stdin(size_t max_bytes, const struct vks_log *log,
                                               unsigned char **data, size_t *num_bytes);

// Makes num_bytes of data the file's content, in one step.
// Errors: VKS_ERR_IO, VKS_ERR_OOM; the old file, if any, is then still there.
VKS_MUST_CHECK enum vks_status file_replace(const char *path, const void *data, size_t num_bytes,
                                            const struct vks_log *log);

// Removes a file; one that does not exist is fine. Errors: VKS_ERR_IO.
VKS_MUST_CHECK enum vks_status file_remove(const char *path, const struct vks_log *log);

// True if the path leads to something, whatever it is.
bool file_exists(const char *path);
// The same of a name in a directory.
bool directory_has(const char *directory, const char *name);

// Writes a large file piece by piece beside its path; it appears there on commit. hash and
// num_bytes may be read at any time between open and the next open: they cover what was written.
struct file_writer {
    char *path, *temporary_path; // owned; NULL when nothing is being written
    FILE *file;
    const struct vks_log *log;
    struct hash64 hash;
    uint64_t num_bytes;
};

// log is borrowed until commit or abort. Errors: VKS_ERR_IO, VKS_ERR_OOM; nothing is open then.
VKS_MUST_CHECK enum vks_status file_writer_open(struct file_writer *writer, const char *path,
                                                const struct vks_log *log);
// Errors: VKS_ERR_IO; the writer is then still open, for abort.
VKS_MUST_CHECK enum vks_status file_writer_write(struct file_writer *writer, const void *data,
                                                 size_t num_bytes);
// Syncs, renames, and closes, also when it fails. Errors: VKS_ERR_IO; nothing was replaced then.
VKS_MUST_CHECK enum vks_status file_writer_commit(struct file_writer *writer);
// Removes what was written; no effect after commit, abort, a failed open, or on a zeroed writer.
void file_writer_abort(struct file_writer *writer);

// directory/name, allocated and owned by the caller (free); NULL when there is no memory.
char *path_join(const char *directory, const char *name);

// Makes a folder and those above it; one that exists is fine.
// Errors: VKS_ERR_IO, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status directory_create(const char *path, const struct vks_log *log);

// Names in a folder, in strcmp order, without "." and "..". *names is owned by the caller
// (directory_list_free). Errors: VKS_ERR_IO, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status directory_list(const char *path, const struct vks_log *log,
                                              char ***names, size_t *num_names);
void directory_list_free(char ***names, size_t num_names);

// Removes a folder with all it holds; links are removed, not followed. One that does not exist is
// fine. Errors: VKS_ERR_IO.
VKS_MUST_CHECK enum vks_status directory_remove(const char *path, const struct vks_log *log);

// Removes the files that writers (file_writer_open) left in a folder because they were killed; for
// the holder of the folder's lock. What cannot be removed is only a warning.
void directory_remove_temporaries(const char *path, const struct vks_log *log);

// Waits until the folder's names are on the disk. Errors: VKS_ERR_IO.
VKS_MUST_CHECK enum vks_status directory_sync(const char *path, const struct vks_log *log);

// A folder reserved for one process, through DIRECTORY/.lock; given back when the process ends,
// however it ends. Zero-initialised holds nothing.
struct lock {
    bool is_held;
    int fd;
};

// Errors: VKS_ERR_IO, also if another process (which is named by its PID) holds the folder;
// VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status lock_acquire(const char *directory, const struct vks_log *log,
                                            struct lock *lock);
void lock_release(struct lock *lock);

#endif
