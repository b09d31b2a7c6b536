#include "train/schedule.h"

#include <math.h>

enum { DEFAULT_WARMUP = 2000 };

double schedule_rate(double peak, uint32_t warmup, uint64_t update) {
    if (warmup == 0)
        return peak;
    if (update < warmup)
        return peak * (double)update / warmup;
    return peak * sqrt((double)warmup / (double)update);
}

uint32_t schedule_default_warmup(uint64_t planned_updates) {
    uint64_t tenth = planned_updates / 10 > 0 ? planned_updates / 10 : 1;
    return planned_updates == 0 || tenth > DEFAULT_WARMUP ? DEFAULT_WARMUP : (uint32_t)tenth;
}
