// The operators that a self-test goes through, in the order of its table. Each has a function
// <name>_selftest in src/selftest/<name>_case.c that compares it with the oracle at a few shapes.
#ifndef SELFTEST_OPERATORS_H
#define SELFTEST_OPERATORS_H

#include "selftest/checks.h"

#define SELFTEST_OPERATORS(X)                                                                      \
    X(linear)                                                                                      \
    X(linear_float16)                                                                              \
    X(linear_bfloat16)                                                                             \
    X(feed_forward)                                                                                \
    X(residual_norm)                                                                               \
    X(residual)                                                                                    \
    X(embedding)                                                                                   \
    X(attention)                                                                                   \
    X(attention_step)                                                                              \
    X(attention_step_float16)                                                                      \
    X(attention_step_bfloat16)                                                                     \
    X(alignment)                                                                                   \
    X(attention_probe)                                                                             \
    X(ssru)                                                                                        \
    X(cross_entropy)                                                                               \
    X(logits)                                                                                      \
    X(top_k)                                                                                       \
    X(allow)                                                                                       \
    X(search)                                                                                      \
    X(sample)                                                                                      \
    X(copy)                                                                                        \
    X(conversion)                                                                                  \
    X(optimizer)

#define SELFTEST_DECLARE(name) enum vks_status name##_selftest(struct check *check);
SELFTEST_OPERATORS(SELFTEST_DECLARE)
#undef SELFTEST_DECLARE

#endif
