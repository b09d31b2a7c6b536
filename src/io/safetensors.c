#include "io/safetensors.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/half.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/mapped_file.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors files are mapped as they are: little-endian machines only"
#endif

enum { LENGTH_BYTES = 8, MAX_HEADER_BYTES = 100 * 1000 * 1000 };

struct safetensors {
    struct arena arena; // names, metadata, and the arrays below
    const struct vks_log *log;
    char *path;
    struct mapped_file mapped; // none where the bytes are somebody else's
    const unsigned char *map;  // the whole file
    size_t map_bytes, header_bytes;
    struct safetensors_info *tensors;        // in the order of the data
    const struct safetensors_info **by_name; // in strcmp order
    size_t num_tensors;
    const char *(*metadata)[2];
    size_t num_metadata;
};

static const struct {
    const char *name;
    size_t num_bytes;
} dtypes[] = {
#define DTYPE_ROW(name, num_bytes) {#name, num_bytes},
    SAFETENSORS_DTYPE_LIST(DTYPE_ROW)
#undef DTYPE_ROW
};

const char *safetensors_dtype_name(enum safetensors_dtype dtype) {
    return dtypes[dtype].name;
}

size_t safetensors_dtype_bytes(enum safetensors_dtype dtype) {
    return dtypes[dtype].num_bytes;
}

static enum vks_status memory_error(const struct safetensors *file) {
    log_error(file->log, "%s: out of memory", file->path);
    return VKS_ERR_OOM;
}

// A fault of the header: about the tensor `name`, or about the whole if that is NULL.
static enum vks_status header_error(const struct safetensors *file, const char *name,
                                    const char *fault) {
    if (name)
        log_error(file->log, "%s: tensor '%.200s': %s", file->path, name, fault);
    else
        log_error(file->log, "%s: not a safetensors file: %s", file->path, fault);
    return VKS_ERR_FORMAT;
}

// A JSON number that is a whole one and exact.
static bool parse_u64(const cJSON *item, uint64_t *value) {
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= 0x1p53))
        return false;
    uint64_t whole = (uint64_t)item->valuedouble;
    if ((double)whole != item->valuedouble)
        return false;
    *value = whole;
    return true;
}

static enum vks_status parse_dtype(const cJSON *item, struct safetensors_info *info) {
    const char *name = cJSON_GetStringValue(item);
    if (!name)
        return header_error(info->file, info->name, "no dtype");
    for (size_t i = 0; i < COUNT_OF(dtypes); i++) {
        if (strcmp(name, dtypes[i].name) == 0) {
            info->dtype = (enum safetensors_dtype)i;
            return VKS_OK;
        }
    }
    log_error(info->file->log, "%s: tensor '%.200s': unknown dtype '%.40s'", info->file->path,
              info->name, name);
    return VKS_ERR_UNSUPPORTED;
}

static enum vks_status parse_shape(const cJSON *item, struct safetensors_info *info) {
    if (!cJSON_IsArray(item))
        return header_error(info->file, info->name, "no shape");
    size_t element_bytes = dtypes[info->dtype].num_bytes, num_bytes = element_bytes;
    const cJSON *dim;
    cJSON_ArrayForEach(dim, item) {
        if (info->num_dims == SAFETENSORS_MAX_DIMS) {
            header_error(info->file, info->name, "more than 8 dimensions");
            return VKS_ERR_UNSUPPORTED;
        }
        uint64_t *value = &info->dims[info->num_dims++];
        if (!parse_u64(dim, value))
            return header_error(info->file, info->name, "a dimension is not a whole number");
        if (!size_mul(num_bytes, *value, &num_bytes))
            return header_error(info->file, info->name, "its shape's product overflows");
    }
    info->num_elements = num_bytes / element_bytes;
    return VKS_OK;
}

static enum vks_status parse_offsets(const cJSON *item, struct safetensors_info *info) {
    const struct safetensors *file = info->file;
    size_t data_begin = LENGTH_BYTES + file->header_bytes;
    uint64_t begin, end;
    if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) != 2 || !parse_u64(item->child, &begin) ||
        !parse_u64(item->child->next, &end) || begin > end)
        return header_error(file, info->name, "data_offsets are not two ascending whole numbers");
    if (end > file->map_bytes - data_begin) {
        log_error(file->log,
                  "%s: tensor '%.200s': its data end at %" PRIu64 ", the file's data at %zu",
                  file->path, info->name, end, file->map_bytes - data_begin);
        return VKS_ERR_FORMAT;
    }
    info->num_bytes = (size_t)(end - begin);
    info->data = file->map + data_begin + begin;
    if (info->num_elements * dtypes[info->dtype].num_bytes != info->num_bytes) {
        log_error(file->log,
                  "%s: tensor '%.200s': shape and dtype need %zu elements of %zu bytes, "
                  "data_offsets give %zu bytes",
                  file->path, info->name, info->num_elements, dtypes[info->dtype].num_bytes,
                  info->num_bytes);
        return VKS_ERR_FORMAT;
    }
    return VKS_OK;
}

static enum vks_status parse_tensor(struct safetensors *file, const cJSON *item,
                                    struct safetensors_info *info) {
    info->file = file;
    info->name = arena_strdup(&file->arena, item->string);
    if (!info->name)
        return memory_error(file);
    // Three children with three names: none is there twice.
    if (!cJSON_IsObject(item) || cJSON_GetArraySize(item) != 3)
        return header_error(file, info->name, "not an object of dtype, shape and data_offsets");
    TRY(parse_dtype(cJSON_GetObjectItemCaseSensitive(item, "dtype"), info));
    TRY(parse_shape(cJSON_GetObjectItemCaseSensitive(item, "shape"), info));
    return parse_offsets(cJSON_GetObjectItemCaseSensitive(item, "data_offsets"), info);
}

static enum vks_status parse_metadata(struct safetensors *file, const cJSON *object) {
    if (file->metadata)
        return header_error(file, NULL, "two __metadata__");
    if (!cJSON_IsObject(object))
        return header_error(file, NULL, "__metadata__ is not an object");
    size_t num = (size_t)cJSON_GetArraySize(object);
    file->metadata = arena_alloc(&file->arena, num + 1, sizeof *file->metadata);
    if (!file->metadata)
        return memory_error(file);
    const cJSON *item;
    cJSON_ArrayForEach(item, object) {
        const char *value = cJSON_GetStringValue(item);
        if (!value)
            return header_error(file, NULL, "a value of __metadata__ is not a text");
        const char **pair = file->metadata[file->num_metadata++];
        pair[0] = arena_strdup(&file->arena, item->string);
        pair[1] = arena_strdup(&file->arena, value);
        if (!pair[0] || !pair[1])
            return memory_error(file);
    }
    return VKS_OK;
}

static int compare_data(const void *a, const void *b) {
    const struct safetensors_info *x = a, *y = b;
    if (x->data != y->data)
        return x->data < y->data ? -1 : 1;
    return x->num_bytes < y->num_bytes ? -1 : x->num_bytes > y->num_bytes;
}

static int compare_by_name(const void *a, const void *b) {
    const struct safetensors_info *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

// Sorts both ways; every byte must belong to one tensor, and every name too.
static enum vks_status index_tensors(struct safetensors *file) {
    const unsigned char *end = file->map + LENGTH_BYTES + file->header_bytes;
    qsort(file->tensors, file->num_tensors, sizeof *file->tensors, compare_data);
    for (size_t i = 0; i < file->num_tensors; i++) {
        const struct safetensors_info *info = &file->tensors[i];
        if (info->data != end)
            return header_error(file, info->name,
                                info->data < end ? "its data overlap another tensor's"
                                                 : "there is a hole before its data");
        end = info->data + info->num_bytes;
        file->by_name[i] = info;
    }
    if (end != file->map + file->map_bytes)
        return header_error(file, NULL, "data at its end belong to no tensor");
    qsort(file->by_name, file->num_tensors, sizeof *file->by_name, compare_by_name);
    for (size_t i = 1; i < file->num_tensors; i++)
        if (strcmp(file->by_name[i - 1]->name, file->by_name[i]->name) == 0)
            return header_error(file, file->by_name[i]->name, "there are two of that name");
    return VKS_OK;
}

static enum vks_status parse_entries(struct safetensors *file, const cJSON *root) {
    size_t num_entries = (size_t)cJSON_GetArraySize(root);
    // One more than needed: an empty file has arrays too.
    file->tensors = ARENA_NEW(&file->arena, struct safetensors_info, num_entries + 1);
    file->by_name = ARENA_NEW(&file->arena, const struct safetensors_info *, num_entries + 1);
    if (!file->tensors || !file->by_name)
        return memory_error(file);
    const cJSON *item;
    cJSON_ArrayForEach(item, root) {
        if (strcmp(item->string, "__metadata__") == 0)
            TRY(parse_metadata(file, item));
        else
            TRY(parse_tensor(file, item, &file->tensors[file->num_tensors++]));
    }
    return index_tensors(file);
}

static bool has_escaped_nul(const char *text, size_t num_bytes) {
    static const char escape[] = "\\u0000";
    enum { ESCAPE_BYTES = sizeof escape - 1 };
    for (size_t i = 0; i + ESCAPE_BYTES <= num_bytes; i++)
        if (text[i] == '\\' && memcmp(text + i, escape, ESCAPE_BYTES) == 0)
            return true;
    return false;
}

static enum vks_status parse_header(struct safetensors *file) {
    if (file->map_bytes < LENGTH_BYTES)
        return header_error(file, NULL, "shorter than 8 bytes");
    uint64_t header_bytes;
    memcpy(&header_bytes, file->map, sizeof header_bytes);
    if (header_bytes > MAX_HEADER_BYTES || header_bytes > file->map_bytes - LENGTH_BYTES) {
        log_error(file->log,
                  "%s: not a safetensors file: a header of %" PRIu64 " bytes in a file of %zu "
                  "(at most %d allowed)",
                  file->path, header_bytes, file->map_bytes, MAX_HEADER_BYTES);
        return VKS_ERR_FORMAT;
    }
    file->header_bytes = (size_t)header_bytes;
    const char *header = (const char *)file->map + LENGTH_BYTES, *end = header;
    // A NUL, plain or escaped, would cut a name short.
    if (memchr(header, 0, file->header_bytes) || has_escaped_nul(header, file->header_bytes))
        return header_error(file, NULL, "its header contains a NUL");
    cJSON *root = cJSON_ParseWithLengthOpts(header, file->header_bytes, &end, 0);
    enum vks_status status = VKS_OK;
    size_t num_parsed = (size_t)(end - header);
    while (root && num_parsed < file->header_bytes && header[num_parsed] == ' ')
        num_parsed++;
    if (!root || num_parsed != file->header_bytes) {
        log_error(file->log, "%s: not a safetensors file: its header is not JSON at byte %zu",
                  file->path, LENGTH_BYTES + num_parsed);
        status = VKS_ERR_FORMAT;
    } else if (!cJSON_IsObject(root)) {
        status = header_error(file, NULL, "its header is not a JSON object");
    } else {
        status = parse_entries(file, root);
    }
    cJSON_Delete(root);
    return status;
}

static enum vks_status create(const char *path, const struct vks_log *log,
                              struct safetensors **file) {
    struct safetensors *created = memory_calloc(1, sizeof *created);
    if (created) {
        created->log = log;
        created->path = arena_strdup(&created->arena, path);
    }
    if (!created || !created->path) {
        log_error(log, "%s: out of memory", path);
        safetensors_close(&created);
        return VKS_ERR_OOM;
    }
    *file = created;
    return VKS_OK;
}

enum vks_status safetensors_open(const char *path, const struct vks_log *log,
                                 struct safetensors **file) {
    struct safetensors *opened;
    TRY(create(path, log, &opened));
    enum vks_status status =
        mapped_file_open(path, "safetensors", LENGTH_BYTES, log, &opened->mapped);
    opened->map = opened->mapped.bytes;
    opened->map_bytes = opened->mapped.num_bytes;
    if (status == VKS_OK)
        status = parse_header(opened);
    if (status != VKS_OK) {
        safetensors_close(&opened);
        return status;
    }
    *file = opened;
    return VKS_OK;
}

enum vks_status safetensors_parse(const void *bytes, size_t num_bytes, const char *name,
                                  const struct vks_log *log, struct safetensors **file) {
    struct safetensors *parsed;
    TRY(create(name, log, &parsed));
    parsed->map = bytes;
    parsed->map_bytes = num_bytes;
    enum vks_status status = parse_header(parsed);
    if (status != VKS_OK) {
        safetensors_close(&parsed);
        return status;
    }
    *file = parsed;
    return VKS_OK;
}

void safetensors_close(struct safetensors **file) {
    if (!*file)
        return;
    mapped_file_close(&(*file)->mapped);
    arena_finish(&(*file)->arena);
    free(*file);
    *file = NULL;
}

size_t safetensors_num_tensors(const struct safetensors *file) {
    return file->num_tensors;
}

const struct safetensors_info *safetensors_at(const struct safetensors *file, size_t tensor_idx) {
    CHECK(tensor_idx < file->num_tensors);
    return &file->tensors[tensor_idx];
}

bool safetensors_find(const struct safetensors *file, const char *name,
                      struct safetensors_info *info) {
    size_t low = 0, high = file->num_tensors;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, file->by_name[middle]->name);
        if (order == 0) {
            *info = *file->by_name[middle];
            return true;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

const char *safetensors_metadata(const struct safetensors *file, const char *key) {
    for (size_t i = 0; i < file->num_metadata; i++)
        if (strcmp(file->metadata[i][0], key) == 0)
            return file->metadata[i][1];
    return NULL;
}

enum vks_status safetensors_read_f32(const struct safetensors_info *info, float *out, size_t num) {
    const struct safetensors *file = info->file;
    if (num != info->num_elements) {
        log_error(file->log, "%s: tensor '%.200s': %zu elements, expected %zu", file->path,
                  info->name, info->num_elements, num);
        return VKS_ERR_SHAPE;
    }
    if (info->dtype == SAFETENSORS_F32) {
        if (num)
            memcpy(out, info->data, info->num_bytes);
        return VKS_OK;
    }
    if (info->dtype != SAFETENSORS_F16 && info->dtype != SAFETENSORS_BF16) {
        log_error(file->log, "%s: tensor '%.200s': dtype %s, expected F32, F16 or BF16", file->path,
                  info->name, dtypes[info->dtype].name);
        return VKS_ERR_UNSUPPORTED;
    }
    for (size_t i = 0; i < num; i++) {
        uint16_t bits;
        memcpy(&bits, info->data + 2 * i, sizeof bits);
        out[i] = info->dtype == SAFETENSORS_F16 ? half_to_float(bits) : bf16_to_float(bits);
    }
    return VKS_OK;
}
