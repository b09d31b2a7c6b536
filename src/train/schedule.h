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

// The default warm-up: the smaller of 2,000 and a tenth of the planned updates; 0 planned: 2,000.
uint32_t schedule_default_warmup(uint64_t planned_updates);

#endif
