#include "io/safetensors_write.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/files.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// Chunks hold whole elements; the data begin at a multiple of ALIGN_BYTES.
enum { CHUNK_BYTES = 1 << 20, ALIGN_BYTES = 8 };

// Where a tensor of the list goes.
struct place {
    const struct safetensors_tensor *tensor;
    size_t tensor_idx, element_bytes, num_bytes;
};

static int compare_places(const void *a, const void *b) {
    const struct place *x = a, *y = b;
    if (x->element_bytes != y->element_bytes)
        return x->element_bytes > y->element_bytes ? -1 : 1;
    return x->tensor_idx < y->tensor_idx ? -1 : x->tensor_idx > y->tensor_idx;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum vks_status check_names(const char *path,
                                   const struct safetensors_write_params *params) {
    const char **names = memory_calloc(params->num_tensors + 1, sizeof *names);
    if (!names) {
        log_error(params->log, "%s: out of memory", path);
        return VKS_ERR_OOM;
    }
    for (size_t i = 0; i < params->num_tensors; i++)
        names[i] = params->tensors[i].name;
    qsort(names, params->num_tensors, sizeof *names, compare_names);
    enum vks_status status = VKS_OK;
    for (size_t i = 1; i < params->num_tensors && status == VKS_OK; i++) {
        if (strcmp(names[i - 1], names[i]) == 0) {
            log_error(params->log, "%s: two tensors of the name '%.200s'", path, names[i]);
            status = VKS_ERR_ARGUMENT;
        }
    }
    free(names);
    return status;
}

// Places in the order of the data; the caller frees *places.
static enum vks_status place_tensors(const char *path,
                                     const struct safetensors_write_params *params,
                                     struct place **places) {
    struct place *placed = memory_calloc(params->num_tensors + 1, sizeof *placed);
    if (!placed) {
        log_error(params->log, "%s: out of memory", path);
        return VKS_ERR_OOM;
    }
    size_t total_bytes = 0;
    for (size_t i = 0; i < params->num_tensors; i++) {
        const struct safetensors_tensor *tensor = &params->tensors[i];
        size_t element_bytes = safetensors_dtype_bytes(tensor->dtype), num_bytes = element_bytes;
        CHECK(tensor->num_dims <= SAFETENSORS_MAX_DIMS);
        bool fits = true;
        for (uint32_t d = 0; d < tensor->num_dims; d++)
            fits = fits && size_mul(num_bytes, tensor->dims[d], &num_bytes);
        if (!fits || !size_add(total_bytes, num_bytes, &total_bytes)) {
            log_error(params->log, "%s: tensor '%.200s': its size overflows", path, tensor->name);
            free(placed);
            return VKS_ERR_ARGUMENT;
        }
        placed[i] = (struct place){tensor, i, element_bytes, num_bytes};
    }
    qsort(placed, params->num_tensors, sizeof *placed, compare_places);
    *places = placed;
    return VKS_OK;
}

static bool add_tensor(cJSON *root, const struct place *place, size_t begin) {
    char text[SAFETENSORS_MAX_DIMS * 24 + 3] = "[";
    size_t used = 1;
    for (uint32_t d = 0; d < place->tensor->num_dims; d++)
        used += (size_t)snprintf(text + used, sizeof text - used, d ? ",%" PRIu64 : "%" PRIu64,
                                 place->tensor->dims[d]);
    snprintf(text + used, sizeof text - used, "]");
    cJSON *entry = cJSON_AddObjectToObject(root, place->tensor->name);
    if (!entry ||
        !cJSON_AddStringToObject(entry, "dtype", safetensors_dtype_name(place->tensor->dtype)) ||
        !cJSON_AddRawToObject(entry, "shape", text))
        return false;
    snprintf(text, sizeof text, "[%zu,%zu]", begin, begin + place->num_bytes);
    return cJSON_AddRawToObject(entry, "data_offsets", text);
}

// The header's JSON text, owned by the caller (cJSON_free); NULL when there is no memory.
static char *make_header(const struct safetensors_write_params *params,
                         const struct place *places) {
    cJSON *root = cJSON_CreateObject();
    bool is_made = root != NULL;
    if (is_made && params->num_metadata) {
        cJSON *metadata = cJSON_AddObjectToObject(root, "__metadata__");
        is_made = metadata != NULL;
        for (size_t i = 0; i < params->num_metadata && is_made; i++)
            is_made =
                cJSON_AddStringToObject(metadata, params->metadata[i][0], params->metadata[i][1]);
    }
    size_t begin = 0;
    for (size_t i = 0; i < params->num_tensors && is_made; i++) {
        is_made = add_tensor(root, &places[i], begin);
        begin += places[i].num_bytes;
    }
    char *header = is_made ? cJSON_PrintUnformatted(root) : NULL;
    cJSON_Delete(root);
    return header;
}

static enum vks_status write_header(struct file_writer *writer, const char *header) {
    static const char spaces[ALIGN_BYTES] = "       ";
    size_t num_bytes = strlen(header);
    uint64_t padded_bytes = round_up_u64(num_bytes, ALIGN_BYTES);
    TRY(file_writer_write(writer, &padded_bytes, sizeof padded_bytes));
    TRY(file_writer_write(writer, header, num_bytes));
    return file_writer_write(writer, spaces, (size_t)padded_bytes - num_bytes);
}

static enum vks_status write_data(struct file_writer *writer,
                                  const struct safetensors_write_params *params,
                                  const struct place *place, void *chunk) {
    if (place->tensor->data)
        return file_writer_write(writer, place->tensor->data, place->num_bytes);
    for (size_t offset = 0; offset < place->num_bytes; offset += CHUNK_BYTES) {
        size_t rest = place->num_bytes - offset,
               num_bytes = rest < CHUNK_BYTES ? rest : CHUNK_BYTES;
        CHECK(params->fill);
        TRY(params->fill(params->user, place->tensor_idx, offset, chunk, num_bytes));
        TRY(file_writer_write(writer, chunk, num_bytes));
    }
    return VKS_OK;
}

static enum vks_status write_file(const char *path, const struct safetensors_write_params *params,
                                  const struct place *places) {
    char *header = make_header(params, places);
    void *chunk = memory_malloc(CHUNK_BYTES);
    struct file_writer writer = {0};
    enum vks_status status = VKS_ERR_OOM;
    if (!header || !chunk) {
        log_error(params->log, "%s: out of memory", path);
        goto done;
    }
    TRY_GOTO(status, file_writer_open(&writer, path, params->log), done);
    TRY_GOTO(status, write_header(&writer, header), done);
    for (size_t i = 0; i < params->num_tensors; i++)
        TRY_GOTO(status, write_data(&writer, params, &places[i], chunk), done);
    status = file_writer_commit(&writer);
done:
    file_writer_abort(&writer);
    free(chunk);
    cJSON_free(header);
    return status;
}

enum vks_status safetensors_write(const char *path, const struct safetensors_write_params *params) {
    TRY(check_names(path, params));
    struct place *places;
    TRY(place_tensors(path, params, &places));
    enum vks_status status = write_file(path, params, places);
    free(places);
    return status;
}
