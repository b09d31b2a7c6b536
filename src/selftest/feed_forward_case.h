// The feed-forward block with random numbers, on the device and by the oracle.
#ifndef SELFTEST_FEED_FORWARD_CASE_H
#define SELFTEST_FEED_FORWARD_CASE_H

#include "ops/feed_forward.h"
#include "selftest/checks.h"

struct feed_forward_case_params {
    enum activation activation;
    uint32_t width, hidden;
    float dropout;
    uint32_t rows; // 0: 43
};

// Makes a case, runs it and compares.
enum vks_status feed_forward_case_check(struct check *check,
                                        const struct feed_forward_case_params *params);

#endif
