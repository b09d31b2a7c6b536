// Attention over packed sequences of given lengths, on the device and by the oracle.
#ifndef TESTS_ATTENTION_CASE_H
#define TESTS_ATTENTION_CASE_H

#include "support/harness.h"

enum { MAX_SEQUENCES = 16 };

struct attention_case {
    uint32_t head_width, num_heads;
    bool without_dq, without_dkv;
    bool self, causal; // self: queries, keys and values side by side in one tensor
    uint32_t num_sequences;
    uint32_t query_offsets[MAX_SEQUENCES + 1], key_offsets[MAX_SEQUENCES + 1];
    uint32_t *query_blocks, *key_blocks, num_query_blocks, num_key_blocks;
    struct matrix *q, *kv, *r, *out, *dq, *dkv;
};

// Fills in what follows from the fields up to num_sequences, with random numbers. lengths: queries
// and keys of each sequence; keys are ignored in self-attention.
void attention_case_make(struct arena *arena, struct rng *rng, const uint32_t (*lengths)[2],
                         struct attention_case *c);
// A harness_build function.
void attention_case_build(struct harness *h, void *user);
// Makes the case, runs it, and fails the test unless the oracle agrees.
void attention_case_check(struct vks_device *device, const uint32_t (*lengths)[2],
                          struct attention_case *c, uint32_t stream);

#endif
