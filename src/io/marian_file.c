#include "io/marian_file.h"

#include "base/check.h"
#include "base/half.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/mapped_file.h"
#include "io/marian_items.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct marian_file {
    struct arena arena;
    struct mapped_file mapped; // of marian_file_open
    struct zip *zip;           // NULL: a .bin file
    const char *name;
    const struct vks_log *log;
    const struct marian_item *items; // in strcmp order
    size_t num_items;
};

enum vks_status marian_source_fail(const struct marian_source *source, const char *item,
                                   const char *fault) {
    if (item)
        log_error(source->log, "%s: not a Marian model: array '%.200s': %s", source->name, item,
                  fault);
    else
        log_error(source->log, "%s: not a Marian model: %s", source->name, fault);
    return VKS_ERR_FORMAT;
}

enum vks_status marian_source_reserve(struct marian_source *source, size_t num) {
    source->items = ARENA_NEW(source->arena, struct marian_item, num + 1);
    if (source->items)
        return VKS_OK;
    log_error(source->log, "%s: out of memory", source->name);
    return VKS_ERR_OOM;
}

enum vks_status marian_source_size(const struct marian_source *source, struct marian_item *item,
                                   uint32_t element_bytes, uint64_t room) {
    uint64_t most = room / element_bytes, num = 1;
    for (uint32_t i = 0; i < item->num_dims; i++) {
        if (item->dims[i] > most / num)
            return marian_source_fail(source, item->name, "its data are shorter than its shape");
        num *= item->dims[i];
    }
    item->num_elements = num;
    return VKS_OK;
}

static int compare_items(const void *a, const void *b) {
    return strcmp(((const struct marian_item *)a)->name, ((const struct marian_item *)b)->name);
}

static enum vks_status list(struct marian_file *file, const unsigned char *bytes,
                            size_t num_bytes) {
    static const unsigned char zip_start[] = {'P', 'K'};
    struct marian_source source = {.name = file->name,
                                   .log = file->log,
                                   .bytes = bytes,
                                   .num_bytes = num_bytes,
                                   .arena = &file->arena};
    if (num_bytes >= sizeof zip_start && memcmp(bytes, zip_start, sizeof zip_start) == 0) {
        TRY(zip_parse(bytes, num_bytes, file->name, file->log, &file->zip));
        TRY(marian_npz_list(&source, file->zip));
    } else {
        TRY(marian_bin_list(&source));
    }
    qsort(source.items, source.num_items, sizeof *source.items, compare_items);
    for (size_t i = 1; i < source.num_items; i++)
        if (strcmp(source.items[i - 1].name, source.items[i].name) == 0)
            return marian_source_fail(&source, source.items[i].name, "it is there twice");
    file->items = source.items;
    file->num_items = source.num_items;
    return VKS_OK;
}

static enum vks_status create(const char *name, const struct vks_log *log,
                              struct marian_file **result) {
    struct marian_file *file = memory_calloc(1, sizeof *file);
    if (file) {
        file->log = log;
        file->name = arena_strdup(&file->arena, name);
    }
    if (!file || !file->name) {
        log_error(log, "%s: out of memory", name);
        marian_file_close(&file);
        return VKS_ERR_OOM;
    }
    *result = file;
    return VKS_OK;
}

enum vks_status marian_file_parse(const void *bytes, size_t num_bytes, const char *name,
                                  const struct vks_log *log, struct marian_file **result) {
    struct marian_file *file;
    TRY(create(name, log, &file));
    enum vks_status status = list(file, bytes, num_bytes);
    if (status != VKS_OK)
        marian_file_close(&file);
    else
        *result = file;
    return status;
}

enum vks_status marian_file_open(const char *path, const struct vks_log *log,
                                 struct marian_file **result) {
    struct marian_file *file;
    TRY(create(path, log, &file));
    enum vks_status status = mapped_file_open(path, "Marian model", 1, log, &file->mapped);
    if (status == VKS_OK)
        status = list(file, file->mapped.bytes, file->mapped.num_bytes);
    if (status != VKS_OK)
        marian_file_close(&file);
    else
        *result = file;
    return status;
}

void marian_file_close(struct marian_file **file_ref) {
    struct marian_file *file = *file_ref;
    if (!file)
        return;
    zip_close(&file->zip);
    mapped_file_close(&file->mapped);
    arena_finish(&file->arena);
    free(file);
    *file_ref = NULL;
}

size_t marian_file_num(const struct marian_file *file) {
    return file->num_items;
}

const struct marian_item *marian_file_at(const struct marian_file *file, size_t item_idx) {
    return &file->items[item_idx];
}

static int compare_name(const void *name, const void *item) {
    return strcmp(name, ((const struct marian_item *)item)->name);
}

const struct marian_item *marian_file_find(const struct marian_file *file, const char *name) {
    if (file->num_items == 0)
        return NULL;
    return bsearch(name, file->items, file->num_items, sizeof *file->items, compare_name);
}

const char *marian_file_text(const struct marian_file *file, const char *name, size_t *num_bytes) {
    const struct marian_item *item = marian_file_find(file, name);
    if (!item || item->type != MARIAN_I8)
        return NULL;
    const void *end = memchr(item->data, 0, item->num_elements);
    *num_bytes =
        end ? (size_t)((const unsigned char *)end - item->data) : (size_t)item->num_elements;
    return (const char *)item->data;
}

uint32_t marian_item_cols(const struct marian_item *item) {
    return item->dims[item->num_dims - 1];
}

uint32_t marian_item_rows(const struct marian_item *item) {
    return (uint32_t)(item->num_elements / marian_item_cols(item));
}

static float element(const struct marian_item *item, uint64_t idx) {
    uint16_t bits;
    float value;
    switch (item->type) {
    case MARIAN_F32:
        memcpy(&value, item->data + idx * sizeof value, sizeof value);
        return value;
    case MARIAN_QUANTIZED_8:
        return (float)(int8_t)item->data[idx];
    default:
        memcpy(&bits, item->data + idx * sizeof bits, sizeof bits);
        return item->type == MARIAN_F16 ? half_to_float(bits) : (float)(int16_t)bits;
    }
}

static bool is_quantized(const struct marian_item *item) {
    return item->type == MARIAN_QUANTIZED_8 || item->type == MARIAN_QUANTIZED_16;
}

// What a quantised item's whole numbers are divided by.
static enum vks_status read_divisor(const struct marian_file *file, const struct marian_item *item,
                                    float *divisor) {
    *divisor = 1.0f;
    if (!is_quantized(item))
        return VKS_OK;
    size_t bytes = item->type == MARIAN_QUANTIZED_8 ? 1 : 2;
    memcpy(divisor, item->data + item->num_elements * bytes, sizeof *divisor);
    if (isfinite(*divisor) && *divisor > 0.0f)
        return VKS_OK;
    log_error(file->log, "%s: array '%s' is quantised with the factor %g: expected one over 0",
              file->name, item->name, (double)*divisor);
    return VKS_ERR_FORMAT;
}

enum vks_status marian_item_read(const struct marian_file *file, const struct marian_item *item,
                                 bool transposed, float *values) {
    uint32_t rows = marian_item_rows(item), cols = marian_item_cols(item);
    float divisor;
    if (item->type == MARIAN_I8 || item->type == MARIAN_OTHER) {
        log_error(file->log,
                  "%s: array '%s' has elements of %s; float32, float16, intgemm8 and intgemm16 are "
                  "read",
                  file->name, item->name, item->type_name);
        return VKS_ERR_UNSUPPORTED;
    }
    TRY(read_divisor(file, item, &divisor));
    // Quantised matrices lie column by column, but for embeddings.
    bool is_turned = is_quantized(item) && !strstr(item->name, "Wemb");
    uint64_t row_stride = is_turned ? 1 : cols, col_stride = is_turned ? rows : 1;
    for (uint32_t row = 0; row < rows; row++)
        for (uint32_t col = 0; col < cols; col++)
            values[transposed ? (uint64_t)col * rows + row : (uint64_t)row * cols + col] =
                element(item, row * row_stride + col * col_stride) / divisor;
    return VKS_OK;
}
