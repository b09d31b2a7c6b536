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

uint32_t schedule_default_warmup(uint64_t planned_updates) {
    uint64_t tenth = planned_updates / 10 > 0 ? planned_updates / 10 : 1;
    return planned_updates == 0 || tenth > DEFAULT_WARMUP ? DEFAULT_WARMUP : (uint32_t)tenth;
}
