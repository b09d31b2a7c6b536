// Learning rates by update.
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include <stdint.h>

// Linear warm-up to the peak, then inverse square root of the update; update is 1-based, warmup 0
// stays at the peak. Source: Vaswani et al. 2017, arXiv:1706.03762, eq. 3, scaled to its peak.
double schedule_rate(double peak, uint32_t warmup, uint64_t update);

// The default warm-up: the smaller of 2,000 and a tenth of the planned updates; 0 planned: 2,000.
uint32_t schedule_default_warmup(uint64_t planned_updates);

#endif
