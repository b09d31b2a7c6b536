#include "model/weights_file.h"

#include "base/check.h"
#include "base/half.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/safetensors_write.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const position_tables[] = {"model.encoder.embed_positions.weight",
                                              "model.decoder.embed_positions.weight"};

// "[512, 64]".
static void print_shape(const uint64_t *dims, uint32_t num_dims, char *text, size_t text_bytes) {
    size_t used = (size_t)snprintf(text, text_bytes, "[");
    for (uint32_t i = 0; i < num_dims && used < text_bytes; i++)
        used +=
            (size_t)snprintf(text + used, text_bytes - used, "%s%" PRIu64, i ? ", " : "", dims[i]);
    if (used < text_bytes)
        snprintf(text + used, text_bytes - used, "]");
}

static enum vks_status find_weight(const struct safetensors *file,
                                   const struct named_weight *weight, const char *path,
                                   const struct vks_log *log, struct safetensors_info *info) {
    const uint64_t dims[] = {weight->num, weight->parameter.cols};
    if (!safetensors_find(file, weight->name, info)) {
        log_error(log, "%s: there is no tensor '%s', which the model's configuration asks for",
                  path, weight->name);
        return VKS_ERR_SHAPE;
    }
    if (info->num_dims == weight->num_dims &&
        memcmp(info->dims, dims, weight->num_dims * sizeof *dims) == 0)
        return VKS_OK;
    char found[128], expected[128];
    print_shape(info->dims, info->num_dims, found, sizeof found);
    print_shape(dims, weight->num_dims, expected, sizeof expected);
    log_error(log, "%s: tensor '%s' is %s, the model's configuration asks for %s", path,
              weight->name, found, expected);
    return VKS_ERR_SHAPE;
}

static enum vks_status check_finite(const struct named_weight *weight, const float *values,
                                    const char *path, const struct vks_log *log) {
    uint64_t size = named_weight_size(weight);
    for (uint64_t i = 0; i < size; i++) {
        if (isfinite(values[i]))
            continue;
        log_error(log, "%s: tensor '%s': element %" PRIu64 " is %s: expected finite numbers", path,
                  weight->name, i, isnan(values[i]) ? "not a number" : "infinite");
        return VKS_ERR_FORMAT;
    }
    return VKS_OK;
}

static enum vks_status read_weight(struct weights *weights, enum parameter_part part,
                                   const struct safetensors *file,
                                   const struct named_weight *weight, const char *path) {
    const struct vks_log *log = weights->store.device->log;
    struct safetensors_info info;
    TRY(find_weight(file, weight, path, log, &info));
    uint64_t size = named_weight_size(weight);
    float *values = memory_malloc(size * sizeof *values);
    if (!values)
        return VKS_ERR_OOM;
    enum vks_status status = safetensors_read_f32(&info, values, size);
    if (status == VKS_OK && part != PART_GRADIENT) // of which the device decides
        status = check_finite(weight, values, path, log);
    if (status == VKS_OK)
        status = named_weight_write(weights, part, weight, values);
    free(values);
    return status;
}

// Tensors that other writers add and that say nothing new: tied copies, and positions of sines.
static bool is_redundant(const char *name) {
    static const char *const names[] = {
        "lm_head.weight",
        "model.encoder.embed_tokens.weight",
        "model.decoder.embed_tokens.weight",
        "model.encoder.embed_positions.weight",
        "model.decoder.embed_positions.weight",
    };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

// Hugging Face's Marian always has an output bias; without values it changes nothing.
static bool is_zero(const struct safetensors_info *info) {
    for (size_t i = 0; i < info->num_bytes; i++)
        if (info->data[i] != 0)
            return false;
    return true;
}

// What is frozen has values alone.
static bool has_part(const struct named_weight *weight, enum parameter_part part) {
    return part == PART_VALUE || !weight->parameter.is_frozen;
}

// A tensor that the model has no place for would be a model that computes something else.
static enum vks_status check_known(const struct weights *weights, enum parameter_part part,
                                   const struct safetensors *file, const char *path,
                                   const struct vks_log *log) {
    for (size_t i = 0; i < safetensors_num_tensors(file); i++) {
        const struct safetensors_info *info = safetensors_at(file, i);
        bool is_known = is_redundant(info->name) ||
                        (strcmp(info->name, "final_logits_bias") == 0 && is_zero(info));
        for (size_t j = 0; j < weights->num_named && !is_known; j++)
            is_known = has_part(&weights->named[j], part) &&
                       strcmp(info->name, weights->named[j].name) == 0;
        if (is_known)
            continue;
        log_error(log, "%s: tensor '%.200s' has no place in a model of this configuration", path,
                  info->name);
        return VKS_ERR_SHAPE;
    }
    return VKS_OK;
}

// Whether the file has the parameters that the configuration asks for, and no others. A
// configuration that is not the file's may ask for any amount of memory.
static enum vks_status check_fits(const struct weights *weights, enum parameter_part part,
                                  const struct safetensors *file, const char *path,
                                  const struct vks_log *log) {
    struct safetensors_info info;
    for (size_t i = 0; i < weights->num_named; i++)
        if (has_part(&weights->named[i], part))
            TRY(find_weight(file, &weights->named[i], path, log, &info));
    return check_known(weights, part, file, path, log);
}

enum vks_status weights_check(const struct weights *weights, const char *path,
                              const struct vks_log *log) {
    struct safetensors *file;
    TRY(safetensors_open(path, log, &file));
    enum vks_status status = check_fits(weights, PART_VALUE, file, path, log);
    safetensors_close(&file);
    return status;
}

enum vks_status weights_read(struct weights *weights, enum parameter_part part, const char *path,
                             const struct vks_log *log) {
    struct safetensors *file;
    TRY(safetensors_open(path, log, &file));
    enum vks_status status = check_fits(weights, part, file, path, log);
    if (status == VKS_OK)
        status = parameter_store_allocate(&weights->store, 1u << part);
    for (size_t i = 0; i < weights->num_named && status == VKS_OK; i++)
        if (has_part(&weights->named[i], part))
            status = read_weight(weights, part, file, &weights->named[i], path);
    safetensors_close(&file);
    return status;
}

// Pieces of one tensor are asked for one after the other: it is kept until the next one's turn.
struct filler {
    struct weights *weights;
    const struct weights_write_params *params;
    const struct named_weight **listed; // the file's tensors, in order; NULL: a table of positions
    float *values;                      // of tensor `idx`; NULL at first
    size_t idx;
    const char *path;
};

static uint64_t size_of(const struct filler *filler, size_t idx) {
    if (filler->listed[idx])
        return named_weight_size(filler->listed[idx]);
    return (uint64_t)filler->params->num_positions * filler->params->config->width;
}

// Positions begin at the configuration's offset, and so does their table in a file.
static enum vks_status read_positions(const struct weights_write_params *params, float *values) {
    const struct vks_model_config *config = params->config;
    uint32_t num_rows = params->num_positions + config->position_offset, width = config->width;
    float *table = memory_malloc((size_t)num_rows * width * sizeof *table);
    if (!table)
        return VKS_ERR_OOM;
    weights_sines(config, num_rows, table);
    memcpy(values, table + (size_t)config->position_offset * width,
           (size_t)params->num_positions * width * sizeof *values);
    free(table);
    return VKS_OK;
}

static enum vks_status read_tensor(struct filler *filler, size_t idx) {
    const struct named_weight *weight = filler->listed[idx];
    float *values = memory_realloc(filler->values, size_of(filler, idx) * sizeof *values);
    if (!values)
        return VKS_ERR_OOM;
    filler->values = values;
    filler->idx = idx;
    if (!weight)
        return read_positions(filler->params, values);
    return named_weight_read(filler->weights, filler->params->part, weight, values);
}

enum vks_status weights_halve(const float *values, size_t num, const char *name, const char *path,
                              const struct vks_log *log, uint16_t *halves) {
    for (size_t i = 0; i < num; i++) {
        halves[i] = half_from_float(values[i]);
        if (isfinite(half_to_float(halves[i])))
            continue;
        log_error(log, "%s: tensor '%s' has the value %g: float16 ends at 65504; take float32",
                  path, name, (double)values[i]);
        return VKS_ERR_UNSUPPORTED;
    }
    return VKS_OK;
}

static enum vks_status fill(void *user, size_t idx, uint64_t offset_bytes, void *chunk,
                            size_t num_bytes) {
    struct filler *filler = user;
    const struct weights_write_params *params = filler->params;
    if (!filler->values || filler->idx != idx)
        TRY(read_tensor(filler, idx));
    if (!params->is_half) {
        memcpy(chunk, (const char *)filler->values + offset_bytes, num_bytes);
        return VKS_OK;
    }
    const char *name = filler->listed[idx] ? filler->listed[idx]->name : "positions";
    return weights_halve(filler->values + offset_bytes / sizeof(uint16_t),
                         num_bytes / sizeof(uint16_t), name, filler->path, params->log, chunk);
}

// The file's tensors, and where each comes from; both have room for all.
static size_t list_tensors(const struct weights *weights, const struct weights_write_params *params,
                           struct filler *filler, struct safetensors_tensor *tensors) {
    enum safetensors_dtype dtype = params->is_half ? SAFETENSORS_F16 : SAFETENSORS_F32;
    size_t num = 0;
    for (size_t i = 0; i < weights->num_named; i++) {
        const struct named_weight *weight = &weights->named[i];
        if (!has_part(weight, params->part))
            continue;
        filler->listed[num] = weight;
        tensors[num++] = (struct safetensors_tensor){.name = weight->name,
                                                     .dtype = dtype,
                                                     .num_dims = weight->num_dims,
                                                     .dims = {weight->num, weight->parameter.cols}};
    }
    for (size_t i = 0; i < COUNT_OF(position_tables) && params->num_positions; i++)
        tensors[num++] =
            (struct safetensors_tensor){.name = position_tables[i],
                                        .dtype = dtype,
                                        .num_dims = 2,
                                        .dims = {params->num_positions, params->config->width}};
    return num;
}

enum vks_status weights_write(struct weights *weights, const struct weights_write_params *params,
                              const char *path) {
    static const char *const metadata[][2] = {{"format", "pt"}};
    size_t capacity = weights->num_named + COUNT_OF(position_tables);
    struct safetensors_tensor *tensors = memory_calloc(capacity, sizeof *tensors);
    struct filler filler = {.weights = weights, .params = params, .path = path};
    filler.listed = memory_calloc(capacity, sizeof *filler.listed);
    enum vks_status status = VKS_ERR_OOM;
    if (tensors && filler.listed) {
        const struct safetensors_write_params write_params = {
            .tensors = tensors,
            .num_tensors = list_tensors(weights, params, &filler, tensors),
            .metadata = metadata,
            .num_metadata = COUNT_OF(metadata),
            .fill = fill,
            .user = &filler,
            .log = params->log,
        };
        status = safetensors_write(path, &write_params);
    }
    free(filler.values);
    free(filler.listed);
    free(tensors);
    return status;
}
