#include "graph/parameters.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rng.h"

#include <stdlib.h>
#include <string.h>

// Room for exchanging parts.
static const uint64_t MAX_SPARE_BYTES = 16ull << 20;

// Rows that begin so many bytes apart, or a multiple, fall into few sets of a processor's cache.
static const uint32_t CROWDED_BYTES = 1024;
static const uint32_t SKEW = 16; // elements: a line of a cache

uint32_t row_stride(const struct vks_device *device, uint32_t cols) {
    if (cols <= 2)
        return cols;
    uint32_t stride = (uint32_t)round_up_u64(cols, 4);
    bool crowded = stride * sizeof(float) % CROWDED_BYTES == 0;
    return device->tile == TILE_TALL && crowded ? stride + SKEW : stride;
}

uint64_t element_bytes(uint32_t element) {
    return element == ELEMENT_F32 ? sizeof(float) : sizeof(uint16_t);
}

void parameter_store_init(struct vks_device *device, struct parameter_store *store) {
    memset(store, 0, sizeof *store);
    store->device = device;
}

enum vks_status parameter_store_reserve(struct parameter_store *store, uint32_t rows, uint32_t cols,
                                        struct parameter *parameter) {
    struct vks_device *device = store->device;
    uint32_t stride = row_stride(device, cols);
    uint64_t bytes = rows * stride * element_bytes(store->element);
    uint64_t room = round_up_u64(bytes, BUFFER_ALIGNMENT), limit = buffer_max_bytes(device);
    if (room > limit) {
        log_error(device->log,
                  "a parameter of %u x %u takes %.1f MiB, more than the %.1f MiB that a matrix may "
                  "have on %s",
                  rows, cols, (double)bytes / 0x1p20, (double)limit / 0x1p20, device->info.name);
        return VKS_ERR_UNSUPPORTED;
    }
    if (store->num_slabs == 0 || store->slab_bytes[store->num_slabs - 1] + room > limit) {
        if (store->num_slabs == PARAMETERS_MAX_SLABS) {
            log_error(device->log, "the model takes more than %d slabs of %.1f MiB",
                      PARAMETERS_MAX_SLABS, (double)limit / 0x1p20);
            return VKS_ERR_UNSUPPORTED;
        }
        store->num_slabs++;
    }
    uint32_t slab_idx = store->num_slabs - 1;
    *parameter = (struct parameter){.rows = rows,
                                    .cols = cols,
                                    .stride = stride,
                                    .slab_idx = slab_idx,
                                    .offset = store->slab_bytes[slab_idx],
                                    .bytes = bytes};
    store->slab_bytes[slab_idx] += room;
    return VKS_OK;
}

bool parameter_store_has(const struct parameter_store *store, enum parameter_part part) {
    return store->parts >> part & 1;
}

static void finish_parts(struct parameter_store *store, uint32_t parts) {
    for (uint32_t part = 0; part < NUM_PARTS; part++)
        for (uint32_t i = 0; i < store->num_slabs && parts >> part & 1; i++)
            buffer_finish(store->device, &store->slabs[part][i]);
}

enum vks_status parameter_store_allocate(struct parameter_store *store, uint32_t parts) {
    enum vks_status status;
    uint32_t missing = parts & ~store->parts;
    for (uint32_t part = 0; part < NUM_PARTS; part++) {
        if (!(missing >> part & 1))
            continue;
        for (uint32_t i = 0; i < store->num_slabs; i++) {
            struct vk_buffer *slab = &store->slabs[part][i];
            TRY_GOTO(status, buffer_init(store->device, BUFFER_DEVICE, store->slab_bytes[i], slab),
                     failed);
            TRY_GOTO(status, buffer_fill(store->device, (struct vk_range){slab, 0, slab->bytes}, 0),
                     failed);
        }
    }
    store->parts |= missing;
    return VKS_OK;
failed:
    finish_parts(store, missing);
    return status;
}

void parameter_store_finish(struct parameter_store *store) {
    finish_parts(store, store->parts);
    store->parts = 0;
}

enum vks_status parameter_store_copy(struct parameter_store *store, enum parameter_part from,
                                     enum parameter_part to) {
    for (uint32_t i = 0; i < store->num_slabs; i++)
        TRY(buffer_copy(store->device,
                        (struct vk_range){&store->slabs[from][i], 0, store->slab_bytes[i]},
                        (struct vk_range){&store->slabs[to][i], 0, store->slab_bytes[i]}));
    return VKS_OK;
}

// Exchanges two slabs piece by piece.
static enum vks_status swap_slabs(struct vks_device *device, const struct vk_buffer *a,
                                  const struct vk_buffer *b, const struct vk_buffer *spare) {
    for (uint64_t done = 0; done < a->bytes; done += spare->bytes) {
        uint64_t left = a->bytes - done, bytes = left < spare->bytes ? left : spare->bytes;
        const struct vk_range x = {a, done, bytes}, y = {b, done, bytes}, z = {spare, 0, bytes};
        TRY(buffer_copy(device, x, z));
        TRY(buffer_copy(device, y, x));
        TRY(buffer_copy(device, z, y));
    }
    return VKS_OK;
}

enum vks_status parameter_store_swap(struct parameter_store *store, enum parameter_part a,
                                     enum parameter_part b) {
    uint64_t spare_bytes = 0;
    struct vk_buffer spare;
    for (uint32_t i = 0; i < store->num_slabs; i++)
        if (store->slab_bytes[i] > spare_bytes)
            spare_bytes = store->slab_bytes[i];
    if (spare_bytes > MAX_SPARE_BYTES)
        spare_bytes = MAX_SPARE_BYTES;
    TRY(buffer_init(store->device, BUFFER_DEVICE, spare_bytes, &spare));
    enum vks_status status = VKS_OK;
    for (uint32_t i = 0; i < store->num_slabs && status == VKS_OK; i++)
        status = swap_slabs(store->device, &store->slabs[a][i], &store->slabs[b][i], &spare);
    buffer_finish(store->device, &spare);
    return status;
}

struct vk_range parameter_range(const struct parameter_store *store, enum parameter_part part,
                                const struct parameter *parameter) {
    return (struct vk_range){&store->slabs[part][parameter->slab_idx], parameter->offset,
                             parameter->bytes};
}

static struct vk_range rows_range(const struct parameter_store *store, enum parameter_part part,
                                  const struct parameter *parameter, uint32_t first_row,
                                  uint32_t num_rows) {
    CHECK(parameter_store_has(store, part) && first_row + num_rows <= parameter->rows);
    CHECK(store->element == ELEMENT_F32);
    struct vk_range range = parameter_range(store, part, parameter);
    uint64_t row_bytes = parameter->stride * sizeof(float);
    return (struct vk_range){range.buffer, range.offset + first_row * row_bytes,
                             num_rows * row_bytes};
}

enum vks_status parameter_write(struct parameter_store *store, enum parameter_part part,
                                const struct parameter *parameter, uint32_t first_row,
                                uint32_t num_rows, const float *values) {
    struct vk_range range = rows_range(store, part, parameter, first_row, num_rows);
    if (parameter->stride == parameter->cols)
        return buffer_write(store->device, range, values);
    float *padded = memory_calloc(num_rows, parameter->stride * sizeof *padded);
    if (!padded)
        return VKS_ERR_OOM;
    for (uint32_t row = 0; row < num_rows; row++)
        memcpy(padded + (size_t)row * parameter->stride, values + (size_t)row * parameter->cols,
               parameter->cols * sizeof *values);
    enum vks_status status = buffer_write(store->device, range, padded);
    free(padded);
    return status;
}

enum vks_status parameter_fill_random(struct parameter_store *store,
                                      const struct parameter *parameter, uint32_t stream) {
    struct rng rng = {.seed = 1, .stream = stream};
    size_t num = (size_t)parameter->rows * parameter->cols;
    float *values = memory_malloc(num * sizeof *values);
    if (!values)
        return VKS_ERR_OOM;
    for (size_t i = 0; i < num; i++)
        values[i] = (float)rng_uniform(&rng) - 0.5f;
    enum vks_status status =
        parameter_write(store, PART_VALUE, parameter, 0, parameter->rows, values);
    free(values);
    return status;
}

enum vks_status parameter_read(struct parameter_store *store, enum parameter_part part,
                               const struct parameter *parameter, uint32_t first_row,
                               uint32_t num_rows, float *values) {
    struct vk_range range = rows_range(store, part, parameter, first_row, num_rows);
    if (parameter->stride == parameter->cols)
        return buffer_read(store->device, range, values);
    float *padded = memory_malloc(num_rows * parameter->stride * sizeof *padded);
    if (!padded)
        return VKS_ERR_OOM;
    enum vks_status status = buffer_read(store->device, range, padded);
    for (uint32_t row = 0; row < num_rows && status == VKS_OK; row++)
        memcpy(values + (size_t)row * parameter->cols, padded + (size_t)row * parameter->stride,
               parameter->cols * sizeof *values);
    free(padded);
    return status;
}
