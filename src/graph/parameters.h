// Parameters, gradients, moments and averages, laid out alike in flat stores of large slabs, so
// that one kernel can walk all of them.
#ifndef GRAPH_PARAMETERS_H
#define GRAPH_PARAMETERS_H

#include "lib/shared.h"
#include "vk/buffer.h"

enum { PARAMETERS_MAX_SLABS = 16 };

// Elements from one row of a matrix to the next. Rows are padded to multiples of 4 elements, those
// of one or two columns are not. For tall tiles, which read many rows at once, rows also begin in
// different sets of a processor's cache. Depends on the columns only, so that operands of one width
// have one stride.
uint32_t row_stride(const struct vks_device *device, uint32_t cols);

// 4 or 2, of an ELEMENT_....
uint64_t element_bytes(uint32_t element);

// A matrix in the store: rows padded to 4 elements, the whole aligned to 256 bytes.
struct parameter {
    uint32_t rows, cols, stride; // in elements
    uint32_t slab_idx;
    uint64_t offset; // bytes into the slab
    uint64_t bytes;
    uint32_t idx;   // among its model's parameters
    bool is_frozen; // lies in a store that is not trained
};

enum parameter_part {
    PART_VALUE,
    PART_GRADIENT,
    PART_MOMENT1,
    PART_MOMENT2,
    PART_AVERAGE,
    NUM_PARTS
};

// Sets of parts: for running, for gradients, for training with SGD, and with Adam or AdamW.
enum {
    PARTS_RUN = 1u << PART_VALUE,
    PARTS_GRADIENT = PARTS_RUN | 1u << PART_GRADIENT,
    PARTS_SGD = PARTS_GRADIENT | 1u << PART_MOMENT1,
    PARTS_ADAM = PARTS_SGD | 1u << PART_MOMENT2
};

struct parameter_store {
    struct vks_device *device; // borrowed
    uint32_t element;          // ELEMENT_F32, unless it is set before anything is reserved
    uint64_t slab_bytes[PARAMETERS_MAX_SLABS];
    uint32_t num_slabs;
    uint32_t parts; // those that are allocated: a set of 1u << part
    struct vk_buffer slabs[NUM_PARTS][PARAMETERS_MAX_SLABS];
};

void parameter_store_init(struct vks_device *device, struct parameter_store *store);
// Reserves room; before parameter_store_allocate.
// Errors: VKS_ERR_UNSUPPORTED when the matrix is larger than a slab.
enum vks_status parameter_store_reserve(struct parameter_store *store, uint32_t rows, uint32_t cols,
                                        struct parameter *parameter);
// Allocates the slabs of those of the parts that there are not yet, all zero.
enum vks_status parameter_store_allocate(struct parameter_store *store, uint32_t parts);
// Whether the store has a part.
bool parameter_store_has(const struct parameter_store *store, enum parameter_part part);
// Gives the slabs back. What was reserved stays so, and can be allocated again.
void parameter_store_finish(struct parameter_store *store);

// Copies one allocated part to another, or exchanges the two. What is copied a piece at a time may
// be left half-way by an error, after which the device is lost.
enum vks_status parameter_store_copy(struct parameter_store *store, enum parameter_part from,
                                     enum parameter_part to);
enum vks_status parameter_store_swap(struct parameter_store *store, enum parameter_part a,
                                     enum parameter_part b);

struct vk_range parameter_range(const struct parameter_store *store, enum parameter_part part,
                                const struct parameter *parameter);
// Rows first_row .. first_row + num_rows of a parameter of float32, to and from rows of `cols`
// elements without pads.
enum vks_status parameter_write(struct parameter_store *store, enum parameter_part part,
                                const struct parameter *parameter, uint32_t first_row,
                                uint32_t num_rows, const float *values);
// Random values from -0.5 to 0.5, for measurements. Errors: VKS_ERR_OOM; those of buffer_write.
enum vks_status parameter_fill_random(struct parameter_store *store,
                                      const struct parameter *parameter, uint32_t stream);
enum vks_status parameter_read(struct parameter_store *store, enum parameter_part part,
                               const struct parameter *parameter, uint32_t first_row,
                               uint32_t num_rows, float *values);

#endif
