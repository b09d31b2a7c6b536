#include "model/weights_write.h"

#include "base/check.h"
#include "base/half.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/safetensors_write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const position_tables[] = {"model.encoder.embed_positions.weight",
                                              "model.decoder.embed_positions.weight"};

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

static enum vks_status read_tensor(struct filler *filler, size_t idx) {
    const struct named_weight *weight = filler->listed[idx];
    float *values = memory_realloc(filler->values, size_of(filler, idx) * sizeof *values);
    if (!values)
        return VKS_ERR_OOM;
    filler->values = values;
    filler->idx = idx;
    if (!weight) {
        weights_fill_positions(filler->params->config, filler->params->num_positions, values);
        return VKS_OK;
    }
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
        if (!named_weight_has_part(weight, params->part))
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
