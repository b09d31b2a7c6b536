// Named arrays in a zip archive without compression, each a .npy file, as numpy.savez writes and
// numpy.load reads them. Sources: PKWARE's APPNOTE.TXT 6.3, section 4.3;
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#ifndef IO_NPZ_WRITE_H
#define IO_NPZ_WRITE_H

#include "io/files.h"

enum npz_type { NPZ_FLOAT32, NPZ_FLOAT16, NPZ_INT8 };

struct npz_array {
    const char *name;
    enum npz_type type;
    uint32_t num_dims; // 1 or 2
    uint64_t dims[2];
    const void *data; // row by row
};

// Zero-initialised is not open.
struct npz_writer {
    struct file_writer file;
    unsigned char *directory; // owned: the central directory's entries so far
    size_t directory_bytes, directory_capacity;
    uint16_t num_arrays;
};

// log is borrowed until commit or abort. Errors: VKS_ERR_IO, VKS_ERR_OOM; nothing is open then.
VKS_MUST_CHECK enum vks_status npz_writer_open(struct npz_writer *writer, const char *path,
                                               const struct vks_log *log);
// Appends an array. Names should differ. Errors: VKS_ERR_IO, VKS_ERR_OOM; VKS_ERR_UNSUPPORTED for
// an archive that would have 4 GiB or 65,535 arrays, which its readers do not know.
VKS_MUST_CHECK enum vks_status npz_writer_add(struct npz_writer *writer,
                                              const struct npz_array *array);
// Writes the directory, and the archive appears at its path. Closes, also when it fails.
VKS_MUST_CHECK enum vks_status npz_writer_commit(struct npz_writer *writer);
// Removes what was written; no effect after commit, abort, a failed open, or on a zeroed writer.
void npz_writer_abort(struct npz_writer *writer);

#endif
