// The best symbols of given logits, on the device and by the oracle.
#ifndef SELFTEST_TOP_K_CASE_H
#define SELFTEST_TOP_K_CASE_H

#include "selftest/checks.h"

struct top_k_case {
    struct matrix *logits;
    uint32_t pad, k;
    uint32_t *best; // what the device gave, top_k_case_stride words a row
};

uint32_t top_k_case_stride(const struct top_k_case *c);
// A harness_build function.
void top_k_case_build(struct harness *h, void *user);
// Runs a case of given logits, pad and k, and compares.
enum vks_status top_k_case_check(struct check *check, struct top_k_case *c);

#endif
