#include "model/weights_file.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/safetensors_write.h"

#include <stdlib.h>
#include <string.h>

static bool has_shape(const struct safetensors_info *info, const struct named_weight *weight) {
    if (info->num_dims != weight->num_dims || info->dims[0] != weight->num)
        return false;
    return weight->num_dims == 1 || info->dims[1] == weight->parameter.cols;
}

static enum vks_status read_weight(struct weights *weights, enum parameter_part part,
                                   const struct safetensors *file,
                                   const struct named_weight *weight, const char *path) {
    const struct vks_log *log = weights->store.device->log;
    struct safetensors_info info;
    if (!safetensors_find(file, weight->name, &info)) {
        log_error(log, "%s: there is no tensor %s, which the model's configuration asks for", path,
                  weight->name);
        return VKS_ERR_SHAPE;
    }
    if (!has_shape(&info, weight)) {
        log_error(log, "%s: tensor %s is [%llu, %llu], the model's configuration asks for [%u, %u]",
                  path, weight->name, (unsigned long long)info.dims[0],
                  (unsigned long long)(info.num_dims > 1 ? info.dims[1] : 1), weight->num,
                  weight->num_dims > 1 ? weight->parameter.cols : 1);
        return VKS_ERR_SHAPE;
    }
    uint64_t size = named_weight_size(weight);
    float *values = memory_malloc(size * sizeof *values);
    if (!values)
        return VKS_ERR_OOM;
    enum vks_status status = safetensors_read_f32(&info, values, size);
    if (status == VKS_OK)
        status = named_weight_write(weights, part, weight, values);
    else
        log_error(log, "%s: tensor %s has element type %s; F32, F16 or BF16 is needed", path,
                  weight->name, safetensors_dtype_name(info.dtype));
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

// A tensor that the model has no place for would be a model that computes something else.
static enum vks_status check_known(const struct weights *weights, const struct safetensors *file,
                                   const char *path) {
    for (size_t i = 0; i < safetensors_num_tensors(file); i++) {
        const struct safetensors_info *info = safetensors_at(file, i);
        bool is_known = is_redundant(info->name) ||
                        (strcmp(info->name, "final_logits_bias") == 0 && is_zero(info));
        for (size_t j = 0; j < weights->num_named && !is_known; j++)
            is_known = strcmp(info->name, weights->named[j].name) == 0;
        if (is_known)
            continue;
        log_error(weights->store.device->log,
                  "%s: tensor %s has no place in a model of this configuration", path, info->name);
        return VKS_ERR_SHAPE;
    }
    return VKS_OK;
}

enum vks_status weights_read(struct weights *weights, enum parameter_part part, const char *path,
                             const struct vks_log *log) {
    struct safetensors *file;
    TRY(safetensors_open(path, log, &file));
    enum vks_status status = check_known(weights, file, path);
    for (size_t i = 0; i < weights->num_named && status == VKS_OK; i++)
        status = read_weight(weights, part, file, &weights->named[i], path);
    safetensors_close(&file);
    return status;
}

// Pieces of one tensor are asked for one after the other: it is kept until the next one's turn.
struct filler {
    struct weights *weights;
    enum parameter_part part;
    float *values; // of tensor `idx`; NULL at first
    size_t idx;
};

static enum vks_status fill(void *user, size_t idx, uint64_t offset_bytes, void *chunk,
                            size_t num_bytes) {
    struct filler *filler = user;
    const struct named_weight *weight = &filler->weights->named[idx];
    if (!filler->values || filler->idx != idx) {
        float *values = memory_realloc(filler->values, named_weight_size(weight) * sizeof *values);
        if (!values)
            return VKS_ERR_OOM;
        filler->values = values;
        filler->idx = idx;
        TRY(named_weight_read(filler->weights, filler->part, weight, values));
    }
    memcpy(chunk, (const char *)filler->values + offset_bytes, num_bytes);
    return VKS_OK;
}

enum vks_status weights_write(struct weights *weights, enum parameter_part part, const char *path,
                              const struct vks_log *log) {
    static const char *const metadata[][2] = {{"format", "pt"}};
    struct safetensors_tensor *tensors = memory_calloc(weights->num_named, sizeof *tensors);
    if (!tensors)
        return VKS_ERR_OOM;
    for (size_t i = 0; i < weights->num_named; i++) {
        const struct named_weight *weight = &weights->named[i];
        tensors[i] = (struct safetensors_tensor){
            .name = weight->name,
            .dtype = SAFETENSORS_F32,
            .num_dims = weight->num_dims,
            .dims = {weight->num, weight->parameter.cols},
        };
    }
    struct filler filler = {.weights = weights, .part = part};
    const struct safetensors_write_params params = {
        .tensors = tensors,
        .num_tensors = weights->num_named,
        .metadata = metadata,
        .num_metadata = COUNT_OF(metadata),
        .fill = fill,
        .user = &filler,
        .log = log,
    };
    enum vks_status status = safetensors_write(path, &params);
    free(filler.values);
    free(tensors);
    return status;
}
