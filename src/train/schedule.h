// Learning rates by update.
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include "vkseq/trainer.h"

struct schedule {
    enum vks_schedule kind;
    double peak;
    uint32_t warmup;  // updates that rise linearly to the peak
    uint64_t updates; // where linear and cosine end; after it their last rate stays
};

// The rate of an update, 1-based.
// Source: Vaswani et al. 2017, arXiv:1706.03762, eq. 3, scaled to its peak (inverse square root);
// Loshchilov and Hutter 2017, arXiv:1608.03983, eq. 5, without restarts (cosine).
double schedule_rate(const struct schedule *schedule, uint64_t update);

// What multiplies the schedule's rate. Zero-initialised with a factor of 1 is none.
struct rate_decay {
    double factor;
    uint64_t begin;        // update after which the rate last began to rise anew; 0: never
    uint64_t most_stalled; // validations in a row, so far
};

// The rate of an update that follows from the schedule and what has decayed.
double schedule_decayed_rate(const struct schedule *schedule, const struct rate_decay *decay,
                             uint64_t update);

// Each of these decays the rate if params say so, and tells whether they do. updates: so far.
// Source: Marian 1.12, --lr-decay-strategy.
// After an update.
bool rate_decay_after_update(const struct vks_trainer_params *params, uint64_t updates,
                             struct rate_decay *decay);
// Before an epoch but the first, 1-based.
bool rate_decay_before_epoch(const struct vks_trainer_params *params, uint64_t epoch,
                             uint64_t updates, struct rate_decay *decay);
// After a validation that stalled. num_stalled: in a row, this one included.
bool rate_decay_after_validation(const struct vks_trainer_params *params, uint64_t num_stalled,
                                 uint64_t updates, struct rate_decay *decay);

// The default warm-up: the smaller of 2,000 and a tenth of the planned updates; 0 planned: 2,000.
uint32_t schedule_default_warmup(uint64_t planned_updates);

#endif
