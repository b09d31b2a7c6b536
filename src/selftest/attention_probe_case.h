// Probabilities of attention, on the device and by the oracle.
#ifndef SELFTEST_ATTENTION_PROBE_CASE_H
#define SELFTEST_ATTENTION_PROBE_CASE_H

#include "selftest/checks.h"

// Sequences of several lengths; the mean over `num_mean_heads` of 3 heads from first_head on.
enum vks_status attention_probe_case_check(struct check *check, uint32_t head_width, bool causal,
                                           uint32_t first_head, uint32_t num_mean_heads);

#endif
