// One head's attention weights with a loss against random links, beside the attention itself, on
// the device and by the oracle.
#ifndef SELFTEST_ALIGNMENT_CASE_H
#define SELFTEST_ALIGNMENT_CASE_H

#include "selftest/attention_case.h"

struct alignment_case {
    struct attention_case attention; // not self, not causal
    uint32_t head, max_keys, cost;
    float weight, loss_scale;
    // The rest follows.
    struct matrix *links, *weights, *losses;
    uint32_t *link_words;
};

void alignment_case_make(struct arena *arena, struct rng *rng, const uint32_t (*lengths)[2],
                         struct alignment_case *c);
// A harness_build function.
void alignment_case_build(struct harness *h, void *user);
// Makes the case from a stream of random numbers, runs it and compares.
enum vks_status alignment_case_check(struct check *check, uint32_t stream,
                                     const uint32_t (*lengths)[2], struct alignment_case *c);

#endif
