// Marian's model files: .npz, which is numpy's arrays in a zip archive, and .bin, which is version,
// headers, names and shapes, then the data from a multiple of 256 bytes on.
// Sources: numpy's format specification (numpy.lib.format), versions 1.0 to 3.0; Marian's
// documentation of its binary format, and files that it writes.
#ifndef IO_MARIAN_FILE_H
#define IO_MARIAN_FILE_H

#include "vkseq/base.h"

#include <stdbool.h>

enum { MARIAN_MAX_DIMS = 4, MARIAN_NAME_BYTES = 128 };

// What a file has of element types. Of those that are not one of the others only the size is
// known.
enum marian_type {
    MARIAN_F32,
    MARIAN_F16,
    MARIAN_I8,
    MARIAN_QUANTIZED_8, // whole numbers, which a factor after them makes what they stand for
    MARIAN_QUANTIZED_16,
    MARIAN_OTHER
};

// Borrowed until marian_file_close.
struct marian_item {
    char name[MARIAN_NAME_BYTES];
    enum marian_type type;
    const char *type_name; // for messages
    uint32_t num_dims;
    uint32_t dims[MARIAN_MAX_DIMS];
    uint64_t num_elements;
    const unsigned char *data; // not aligned
};

// An open file. Immutable.
struct marian_file;

// Opens a file, which is .npz if it begins as zip archives do. log is borrowed until
// marian_file_close.
// Errors: VKS_ERR_IO; VKS_ERR_FORMAT for what does not lie within the file, contradicts itself or
// has a name twice; VKS_ERR_UNSUPPORTED for compressed, encrypted or column-major files;
// VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status marian_file_open(const char *path, const struct vks_log *log,
                                                struct marian_file **file);
// The same for a file in memory. bytes: borrowed until marian_file_close. name: what messages call
// the file; copied.
VKS_MUST_CHECK enum vks_status marian_file_parse(const void *bytes, size_t num_bytes,
                                                 const char *name, const struct vks_log *log,
                                                 struct marian_file **file);
void marian_file_close(struct marian_file **file);

size_t marian_file_num(const struct marian_file *file);
// In strcmp order of names; item_idx < marian_file_num.
const struct marian_item *marian_file_at(const struct marian_file *file, size_t item_idx);
// NULL if there is none of that name.
const struct marian_item *marian_file_find(const struct marian_file *file, const char *name);

// The text of an item of bytes, up to its first NUL: its beginning, borrowed, and its length. NULL
// if there is no such item.
const char *marian_file_text(const struct marian_file *file, const char *name, size_t *num_bytes);

// An item as a matrix: its last dimension are the columns, the others rows.
uint32_t marian_item_rows(const struct marian_item *item);
uint32_t marian_item_cols(const struct marian_item *item);
// Its values, row by row, or column by column if transposed; quantised ones are multiplied with
// their factor.
//   values  f32 [num_elements]  written
// Errors: VKS_ERR_UNSUPPORTED for another element type (the log names it), VKS_ERR_FORMAT for a
// factor that is no number over 0.
VKS_MUST_CHECK enum vks_status marian_item_read(const struct marian_file *file,
                                                const struct marian_item *item, bool transposed,
                                                float *values);

#endif
