#include "train/schedule.h"

#include "base/check.h"

#include <math.h>

enum { DEFAULT_WARMUP = 2000 };

static const double PI = 3.14159265358979323846;

// Share of the way from the peak to the end, below 1: the last update still learns.
static double progress(const struct schedule *schedule, uint64_t update) {
    uint64_t last = schedule->updates > schedule->warmup ? schedule->updates : schedule->warmup + 1;
    if (update > last)
        update = last;
    return (double)(update - schedule->warmup) / (double)(last - schedule->warmup + 1);
}

double schedule_rate(const struct schedule *schedule, uint64_t update) {
    uint32_t warmup = schedule->warmup;
    if (update < warmup)
        return schedule->peak * (double)update / warmup;
    switch (schedule->kind) {
    case VKS_SCHEDULE_INVERSE_SQRT:
        return warmup ? schedule->peak * sqrt((double)warmup / (double)update) : schedule->peak;
    case VKS_SCHEDULE_LINEAR:
        return schedule->peak * (1 - progress(schedule, update));
    case VKS_SCHEDULE_COSINE:
        return schedule->peak * 0.5 * (1 + cos(PI * progress(schedule, update)));
    case VKS_SCHEDULE_CONSTANT:
        return schedule->peak;
    }
    CHECK(false);
    return 0;
}

double schedule_decayed_rate(const struct schedule *schedule, const struct rate_decay *decay,
                             uint64_t update) {
    double rate = schedule_rate(schedule, update) * decay->factor;
    uint64_t since = update - decay->begin;
    return decay->begin && since < schedule->warmup ? rate * (double)since / schedule->warmup
                                                    : rate;
}

static bool decay_if(bool is_due, const struct vks_trainer_params *params, uint64_t updates,
                     struct rate_decay *decay) {
    if (!is_due || !(params->lr_decay > 0))
        return false;
    decay->factor *= (double)params->lr_decay;
    if (params->lr_decay_repeat_warmup)
        decay->begin = updates;
    return true;
}

bool rate_decay_after_update(const struct vks_trainer_params *params, uint64_t updates,
                             struct rate_decay *decay) {
    uint32_t start = params->lr_decay_start[0], freq = params->lr_decay_freq;
    bool is_due = params->lr_decay_strategy == VKS_LR_DECAY_BATCHES && start > 0 && freq > 0 &&
                  updates >= start && (updates - start) % freq == 0;
    return decay_if(is_due, params, updates, decay);
}

bool rate_decay_before_epoch(const struct vks_trainer_params *params, uint64_t epoch,
                             uint64_t updates, struct rate_decay *decay) {
    const uint32_t *start = params->lr_decay_start;
    enum vks_lr_decay strategy = params->lr_decay_strategy;
    bool with_batches = strategy == VKS_LR_DECAY_EPOCH_BATCHES;
    bool with_stalled = strategy == VKS_LR_DECAY_EPOCH_STALLED;
    bool is_due = (strategy == VKS_LR_DECAY_EPOCH || with_batches || with_stalled) &&
                  start[0] > 0 && epoch >= start[0];
    is_due |= with_batches && start[1] > 0 && updates >= start[1];
    is_due |= with_stalled && start[1] > 0 && decay->most_stalled >= start[1];
    return decay_if(is_due, params, updates, decay);
}

bool rate_decay_after_validation(const struct vks_trainer_params *params, uint64_t num_stalled,
                                 uint64_t updates, struct rate_decay *decay) {
    uint32_t start = params->lr_decay_start[0];
    if (num_stalled > decay->most_stalled)
        decay->most_stalled = num_stalled;
    bool is_due =
        params->lr_decay_strategy == VKS_LR_DECAY_STALLED && start > 0 && num_stalled % start == 0;
    return decay_if(is_due, params, updates, decay);
}

uint32_t schedule_default_warmup(uint64_t planned_updates) {
    uint64_t tenth = planned_updates / 10 > 0 ? planned_updates / 10 : 1;
    return planned_updates == 0 || tenth > DEFAULT_WARMUP ? DEFAULT_WARMUP : (uint32_t)tenth;
}
