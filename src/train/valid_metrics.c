#include "train/valid_metrics.h"

#include "base/check.h"
#include "base/log.h"

#include <math.h>
#include <string.h>

static const char *const costs_names[] = {"cross-entropy", "ce-mean-words", "perplexity"};

bool valid_metric_falls(const char *name) {
    for (size_t i = 0; i < COUNT_OF(costs_names); i++)
        if (!strcmp(name, costs_names[i]))
            return true;
    return false;
}

bool valid_metric_of_costs(const char *name, const struct valid_costs *costs, double *value) {
    double of_word = costs->sum / (double)costs->num_tokens;
    if (!strcmp(name, "cross-entropy"))
        *value = costs->sum / (double)costs->num_sentences;
    else if (!strcmp(name, "ce-mean-words"))
        *value = of_word;
    else if (!strcmp(name, "perplexity"))
        *value = exp(of_word);
    else
        return false;
    return true;
}

bool valid_metric_note(struct valid_metric *metric, double value, double epsilon) {
    double gain = valid_metric_falls(metric->name) ? metric->best - value : value - metric->best;
    bool is_better = isfinite(value) && (!metric->has_best || gain > epsilon);
    if (is_better) {
        metric->best = value;
        metric->has_best = true;
        metric->num_stalled = 0;
    } else {
        metric->num_stalled++;
    }
    return is_better;
}

uint64_t valid_metrics_num_stalled(const struct valid_metrics *metrics,
                                   enum vks_early_stopping_on on) {
    uint64_t least = UINT64_MAX, most = 0;
    if (metrics->num > 0 && on == VKS_EARLY_STOPPING_ON_FIRST)
        return metrics->items[0].num_stalled;
    for (uint32_t i = 0; i < metrics->num; i++) {
        uint64_t num = metrics->items[i].num_stalled;
        if (!metrics->items[i].has_best && num == 0)
            continue;
        least = num < least ? num : least;
        most = num > most ? num : most;
    }
    return on == VKS_EARLY_STOPPING_ON_ALL && least != UINT64_MAX ? least : most;
}

bool valid_metrics_are_stalled(const struct valid_metrics *metrics, uint32_t patience,
                               enum vks_early_stopping_on on) {
    return patience > 0 && valid_metrics_num_stalled(metrics, on) >= patience;
}

enum vks_status valid_metrics_select(struct valid_metrics *metrics, const char *const *names,
                                     uint32_t num_names, const struct vks_log *log) {
    struct valid_metrics selected = {.num = num_names};
    if (num_names > MAX_VALID_METRICS) {
        log_error(log, "%u validation metrics: expected at most %d", num_names, MAX_VALID_METRICS);
        return VKS_ERR_ARGUMENT;
    }
    for (uint32_t i = 0; i < num_names; i++) {
        struct valid_metric *metric = &selected.items[i];
        size_t num_bytes = strlen(names[i]);
        if (num_bytes == 0 || num_bytes >= sizeof metric->name) {
            log_error(log, "validation metric '%s': expected a name of 1 to %zu characters",
                      names[i], sizeof metric->name - 1);
            return VKS_ERR_ARGUMENT;
        }
        memcpy(metric->name, names[i], num_bytes);
        for (uint32_t j = 0; j < metrics->num; j++)
            if (!strcmp(metrics->items[j].name, names[i]))
                *metric = metrics->items[j];
    }
    *metrics = selected;
    return VKS_OK;
}
