#include "model/weights_freeze.h"

#include "base/log.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

bool weights_name_matches(const char *pattern, const char *name) {
    const char *star = NULL, *resumed = NULL; // the last *, and where its stretch ends so far
    while (*name) {
        if (*pattern == '*') {
            star = pattern++;
            resumed = name;
        } else if (*pattern == '?' || *pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++resumed;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static bool is_chosen(const struct named_weight *weight, const char *const *patterns,
                      uint32_t num_patterns) {
    for (uint32_t i = 0; i < num_patterns; i++)
        if (weights_name_matches(patterns[i], weight->name))
            return true;
    return false;
}

// Every pattern must say something.
static enum vks_status check_patterns(const struct weights *weights, const char *const *patterns,
                                      uint32_t num_patterns) {
    for (uint32_t i = 0; i < num_patterns; i++) {
        bool matches = false;
        for (size_t j = 0; j < weights->num_named && !matches; j++)
            matches = weights_name_matches(patterns[i], weights->named[j].name);
        if (matches)
            continue;
        log_error(weights->store.device->log,
                  "frozen parameters: none is named '%s'; names are such as '%s', and * stands for "
                  "any characters",
                  patterns[i], weights->named[weights->num_named - 1].name);
        return VKS_ERR_ARGUMENT;
    }
    return VKS_OK;
}

// What is one matrix must be frozen as one.
static enum vks_status check_whole(const struct weights *weights, const char *const *patterns,
                                   uint32_t num_patterns, const bool *is_frozen) {
    bool has_trained = false;
    for (size_t i = 0; i < weights->num_named; i++) {
        const struct named_weight *weight = &weights->named[i];
        bool is_whole = is_frozen[weight->parameter.idx];
        has_trained |= !is_whole;
        if (is_whole == is_chosen(weight, patterns, num_patterns))
            continue;
        log_error(weights->store.device->log,
                  "frozen parameters: '%s' is not frozen, but is one matrix with others that are: "
                  "expected a pattern for all, or for none",
                  weight->name);
        return VKS_ERR_ARGUMENT;
    }
    if (has_trained)
        return VKS_OK;
    log_error(weights->store.device->log,
              "frozen parameters: all %zu are; expected some to be trained", weights->num_named);
    return VKS_ERR_ARGUMENT;
}

static enum vks_status copy_values(struct weights *from, struct weights *to) {
    enum vks_status status = VKS_OK;
    for (size_t i = 0; i < from->num_named && status == VKS_OK; i++) {
        float *values = memory_malloc(named_weight_size(&from->named[i]) * sizeof *values);
        if (!values)
            return VKS_ERR_OOM;
        status = named_weight_read(from, PART_VALUE, &from->named[i], values);
        if (status == VKS_OK)
            status = named_weight_write(to, PART_VALUE, &to->named[i], values);
        free(values);
    }
    return status;
}

enum vks_status weights_freeze(struct weights *weights, const struct vks_model_config *config,
                               const char *const *patterns, uint32_t num_patterns) {
    struct weights *laid = memory_calloc(1, sizeof *laid);
    bool *is_frozen = memory_calloc(weights->num_parameters, sizeof *is_frozen);
    enum vks_status status = laid && is_frozen ? VKS_OK : VKS_ERR_OOM;
    for (size_t i = 0; i < weights->num_named && status == VKS_OK; i++)
        if (is_chosen(&weights->named[i], patterns, num_patterns))
            is_frozen[weights->named[i].parameter.idx] = true;
    if (status == VKS_OK)
        status = check_patterns(weights, patterns, num_patterns);
    if (status == VKS_OK)
        status = check_whole(weights, patterns, num_patterns, is_frozen);
    if (status == VKS_OK)
        status = weights_init(weights->store.device, config, is_frozen, PARTS_RUN, laid);
    if (status == VKS_OK) {
        status = copy_values(weights, laid);
        weights_finish(status == VKS_OK ? weights : laid);
        if (status == VKS_OK)
            *weights = *laid;
    }
    free(is_frozen);
    free(laid);
    return status;
}

uint64_t weights_num_frozen(const struct weights *weights) {
    uint64_t num = 0;
    for (size_t i = 0; i < weights->num_named; i++)
        if (weights->named[i].parameter.is_frozen)
            num += named_weight_size(&weights->named[i]);
    return num;
}
