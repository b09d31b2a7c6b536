// Attention over packed sequences of given lengths with random numbers, on the device and by the
// oracle.
#ifndef SELFTEST_ATTENTION_CASE_H
#define SELFTEST_ATTENTION_CASE_H

#include "ops/attention.h"
#include "selftest/checks.h"

enum { ATTENTION_CASE_SEQUENCES = 16 };

struct attention_case {
    uint32_t head_width, num_heads;
    bool without_dq, without_dkv;
    bool self, causal; // self: queries, keys and values side by side in one tensor
    float dropout;
    uint32_t num_sequences;
    uint32_t query_offsets[ATTENTION_CASE_SEQUENCES + 1], key_offsets[ATTENTION_CASE_SEQUENCES + 1];
    uint32_t *query_blocks, *key_blocks, num_query_blocks, num_key_blocks;
    struct matrix *q, *kv, *r, *out, *dq, *dkv;
};

// Fills in what follows from the fields up to num_sequences, with random numbers. lengths: queries
// and keys of each sequence; keys are ignored in self-attention.
void attention_case_make(struct arena *arena, struct rng *rng, const uint32_t (*lengths)[2],
                         struct attention_case *c);
// The case's inputs in a graph.
struct attention_params attention_case_inputs(struct harness *h, const struct attention_case *c);
// A harness_build function.
void attention_case_build(struct harness *h, void *user);
// What the oracle is given.
struct oracle_attention attention_case_oracle(const struct attention_case *c);
// Makes the case from a stream of random numbers, runs it and compares.
enum vks_status attention_case_check(struct check *check, uint32_t stream,
                                     const uint32_t (*lengths)[2], struct attention_case *c);

#endif
