#include "model/weights_file.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// "[512, 64]".
static void print_shape(const uint64_t *dims, uint32_t num_dims, char *text, size_t text_bytes) {
    size_t used = (size_t)snprintf(text, text_bytes, "[");
    for (uint32_t i = 0; i < num_dims && used < text_bytes; i++)
        used +=
            (size_t)snprintf(text + used, text_bytes - used, "%s%" PRIu64, i ? ", " : "", dims[i]);
    if (used < text_bytes)
        snprintf(text + used, text_bytes - used, "]");
}

static const char shared_name[] = "model.shared.weight", output_name[] = "lm_head.weight",
                  source_name[] = "model.encoder.embed_tokens.weight",
                  target_name[] = "model.decoder.embed_tokens.weight",
                  bias_name[] = "final_logits_bias";

const struct tensor_view *weights_find_tensor(const struct weights *weights,
                                              const struct tensor_set *set, const char *name) {
    bool is_tied = weights->output.idx == weights->decoder.embedding.idx;
    const struct {
        const char *name, *other;
    } copies[] = {
        {shared_name, target_name},
        {shared_name, source_name},
        {shared_name, is_tied ? output_name : NULL},
        {source_name, shared_name},
        {target_name, shared_name},
        {target_name, is_tied ? output_name : NULL},
    };
    const struct tensor_view *view = tensor_set_find(set, name);
    for (size_t i = 0; i < COUNT_OF(copies) && !view; i++)
        if (strcmp(name, copies[i].name) == 0 && copies[i].other)
            view = tensor_set_find(set, copies[i].other);
    return view;
}

static enum vks_status find_weight(const struct weights *weights, const struct tensor_set *set,
                                   const struct named_weight *weight,
                                   const struct tensor_view **result) {
    const uint64_t dims[] = {weight->num, weight->parameter.cols};
    const struct tensor_view *view = weights_find_tensor(weights, set, weight->name);
    if (!view) {
        log_error(tensor_set_log(set),
                  "%s: there is no tensor '%s', which the model's configuration asks for",
                  tensor_set_path(set), weight->name);
        return VKS_ERR_SHAPE;
    }
    if (view->num_dims == weight->num_dims &&
        memcmp(view->dims, dims, weight->num_dims * sizeof *dims) == 0) {
        *result = view;
        return VKS_OK;
    }
    char found[128], expected[128];
    print_shape(view->dims, view->num_dims, found, sizeof found);
    print_shape(dims, weight->num_dims, expected, sizeof expected);
    log_error(view->log, "%s: tensor '%s' is %s, the model's configuration asks for %s", view->path,
              view->name, found, expected);
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
                                   const struct tensor_set *set,
                                   const struct named_weight *weight) {
    const struct tensor_view *view;
    TRY(find_weight(weights, set, weight, &view));
    uint64_t size = named_weight_size(weight);
    float *values = memory_malloc(size * sizeof *values);
    if (!values)
        return VKS_ERR_OOM;
    enum vks_status status = tensor_view_read_f32(view, values, size);
    if (status == VKS_OK && part != PART_GRADIENT) // of which the device decides
        status = check_finite(weight, values, view->path, weights->store.device->log);
    if (status == VKS_OK)
        status = named_weight_write(weights, part, weight, values);
    free(values);
    return status;
}

// Tied copies that other writers add.
static bool is_copy(const char *name) {
    static const char *const names[] = {shared_name, output_name, source_name, target_name};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

// Tables of sines, which say nothing new either; `weights` in old files of M2M100.
static bool is_positions(const char *name) {
    static const char *const names[] = {
        "model.encoder.embed_positions.weight",
        "model.decoder.embed_positions.weight",
        "model.encoder.embed_positions.weights",
        "model.decoder.embed_positions.weights",
    };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

// Rows before the first position are not read, and may be anything.
static enum vks_status check_positions(const struct tensor_view *view,
                                       const struct vks_model_config *config) {
    const double rounding = 0.01; // of bfloat16
    uint32_t width = config->width;
    if (view->num_dims != 2 || view->dims[1] != width || view->dims[0] > UINT32_MAX)
        return VKS_ERR_SHAPE;
    uint32_t num_rows = (uint32_t)view->dims[0];
    float *found = memory_malloc((view->num_elements + 1) * sizeof *found);
    float *expected = memory_malloc((view->num_elements + 1) * sizeof *expected);
    enum vks_status status = found && expected ? VKS_OK : VKS_ERR_OOM;
    if (status == VKS_OK)
        status = tensor_view_read_f32(view, found, view->num_elements);
    if (status == VKS_OK)
        weights_fill_positions(config, num_rows, expected);
    for (size_t i = (size_t)config->position_offset * width;
         status == VKS_OK && i < view->num_elements; i++)
        if (!(fabs((double)found[i] - (double)expected[i]) <= rounding))
            status = VKS_ERR_SHAPE;
    free(found);
    free(expected);
    return status;
}

// A tensor that the model has no place for would be a model that computes something else.
static enum vks_status check_known(const struct weights *weights, enum parameter_part part,
                                   const struct vks_model_config *config,
                                   const struct tensor_set *set) {
    for (size_t i = 0; i < tensor_set_num(set); i++) {
        const struct tensor_view *view = tensor_set_at(set, i);
        // Hugging Face's Marian always has an output bias; without values it changes nothing.
        bool is_known = is_copy(view->name) ||
                        (strcmp(view->name, bias_name) == 0 && tensor_view_is_zero(view));
        for (size_t j = 0; j < weights->num_named && !is_known; j++)
            is_known = named_weight_has_part(&weights->named[j], part) &&
                       strcmp(view->name, weights->named[j].name) == 0;
        if (is_known)
            continue;
        enum vks_status status = VKS_ERR_SHAPE;
        if (config && is_positions(view->name))
            status = check_positions(view, config);
        if (status == VKS_ERR_SHAPE)
            log_error(view->log,
                      "%s: tensor '%.200s' has no place in a model of this configuration",
                      view->path, view->name);
        TRY(status);
    }
    return VKS_OK;
}

// A configuration that is not the file's may ask for any amount of memory.
enum vks_status weights_check(const struct weights *weights, enum parameter_part part,
                              const struct vks_model_config *config, const struct tensor_set *set) {
    const struct tensor_view *view;
    for (size_t i = 0; i < weights->num_named; i++)
        if (named_weight_has_part(&weights->named[i], part))
            TRY(find_weight(weights, set, &weights->named[i], &view));
    return check_known(weights, part, config, set);
}

enum vks_status weights_read(struct weights *weights, enum parameter_part part,
                             const struct vks_model_config *config, const struct tensor_set *set) {
    TRY(weights_check(weights, part, config, set));
    TRY(parameter_store_allocate(&weights->store, 1u << part));
    for (size_t i = 0; i < weights->num_named; i++)
        if (named_weight_has_part(&weights->named[i], part))
            TRY(read_weight(weights, part, set, &weights->named[i]));
    return VKS_OK;
}

enum vks_status weights_read_file(struct weights *weights, enum parameter_part part,
                                  const char *path, const struct vks_log *log) {
    struct tensor_set *set;
    TRY(tensor_set_open_file(path, log, &set));
    enum vks_status status = weights_read(weights, part, NULL, set);
    tensor_set_close(&set);
    return status;
}

static const struct tensor_view *find_either(const struct tensor_set *set, const char *name,
                                             const char *other) {
    const struct tensor_view *view = tensor_set_find(set, name);
    return view ? view : tensor_set_find(set, other);
}

static bool differ(const struct tensor_view *a, const struct tensor_view *b) {
    return a && b && !tensor_view_equals(a, b);
}

void weights_complete_config(const struct tensor_set *set, const struct vks_log *log,
                             struct vks_model_config *config) {
    const struct tensor_view *bias = tensor_set_find(set, bias_name);
    const struct tensor_view *source = find_either(set, source_name, shared_name);
    const struct tensor_view *target = find_either(set, target_name, shared_name);
    const struct tensor_view *output = tensor_set_find(set, output_name);
    enum vks_tying tying = config->tying;
    config->output_bias |= bias && !tensor_view_is_zero(bias);
    if (tying == VKS_TIED_ALL && differ(source, target))
        tying = VKS_TIED_OUTPUT;
    if (tying != VKS_TIED_NONE && differ(output, target ? target : source))
        tying = VKS_TIED_NONE;
    // Of the classes only Marian's has two vocabularies and ties one with the output.
    if (tying == VKS_TIED_OUTPUT && config->model_class != VKS_CLASS_MARIAN)
        tying = VKS_TIED_NONE;
    if (tying == config->tying)
        return;
    log_warn(log, "%s: embeddings that config.json says are tied differ: they are read as they are",
             tensor_set_path(set));
    config->tying = tying;
}
