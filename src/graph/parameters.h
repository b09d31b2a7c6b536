// Parameters, gradients and Adam's moments, laid out alike in flat stores of large slabs, so that
// one kernel can walk all of them.
#ifndef GRAPH_PARAMETERS_H
#define GRAPH_PARAMETERS_H

#include "vk/buffer.h"

enum { PARAMETERS_MAX_SLABS = 16 };

// Elements from one row of a matrix to the next. Rows are padded to multiples of 4 elements, those
// of one or two columns are not. For tall tiles, which read many rows at once, rows also begin in
// different sets of a processor's cache. Depends on the columns only, so that operands of one width
// have one stride.
uint32_t row_stride(const struct vks_device *device, uint32_t cols);

// A matrix of float32 in the store: rows padded to 16 bytes, the whole aligned to 256 bytes.
struct parameter {
    uint32_t rows, cols, stride; // in elements
    uint32_t slab_idx;
    uint64_t offset; // bytes into the slab
    uint64_t bytes;
};

enum parameter_part { PART_VALUE, PART_GRADIENT, PART_MOMENT1, PART_MOMENT2, NUM_PARTS };

struct parameter_store {
    struct vks_device *device; // borrowed
    uint64_t slab_bytes[PARAMETERS_MAX_SLABS];
    uint32_t num_slabs;
    uint32_t num_parts; // 1: for running only; NUM_PARTS: for training
    struct vk_buffer slabs[NUM_PARTS][PARAMETERS_MAX_SLABS];
};

void parameter_store_init(struct vks_device *device, struct parameter_store *store);
// Reserves room; before parameter_store_allocate.
// Errors: VKS_ERR_UNSUPPORTED when the matrix is larger than a slab.
enum vks_status parameter_store_reserve(struct parameter_store *store, uint32_t rows, uint32_t cols,
                                        struct parameter *parameter);
// Allocates the slabs of parts that there are not yet, all zero.
enum vks_status parameter_store_allocate(struct parameter_store *store, uint32_t num_parts);
// Gives the slabs back. What was reserved stays so, and can be allocated again.
void parameter_store_finish(struct parameter_store *store);

struct vk_range parameter_range(const struct parameter_store *store, enum parameter_part part,
                                const struct parameter *parameter);
// Rows first_row .. first_row + num_rows of a parameter, to and from rows of `cols` elements
// without pads.
enum vks_status parameter_write(struct parameter_store *store, enum parameter_part part,
                                const struct parameter *parameter, uint32_t first_row,
                                uint32_t num_rows, const float *values);
enum vks_status parameter_read(struct parameter_store *store, enum parameter_part part,
                               const struct parameter *parameter, uint32_t first_row,
                               uint32_t num_rows, float *values);

#endif
