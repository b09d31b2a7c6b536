// The operators that a self-test goes through, in the order of its table. Each has a function
// <name>_selftest in src/selftest/<name>_case.c that compares it with the oracle at a few shapes:
// those that take halves once with each type of elements.
#ifndef SELFTEST_OPERATORS_H
#define SELFTEST_OPERATORS_H

#include "selftest/checks.h"

#define SELFTEST_OPERATORS(FLOATS, ALL)                                                            \
    ALL(linear)                                                                                    \
    ALL(feed_forward)                                                                              \
    ALL(residual_norm)                                                                             \
    ALL(residual)                                                                                  \
    ALL(embedding)                                                                                 \
    ALL(attention)                                                                                 \
    ALL(attention_step)                                                                            \
    ALL(alignment)                                                                                 \
    ALL(attention_probe)                                                                           \
    ALL(ssru)                                                                                      \
    ALL(cross_entropy)                                                                             \
    ALL(logits)                                                                                    \
    FLOATS(top_k)                                                                                  \
    FLOATS(allow)                                                                                  \
    FLOATS(search)                                                                                 \
    FLOATS(sample)                                                                                 \
    FLOATS(copy)                                                                                   \
    FLOATS(conversion)                                                                             \
    FLOATS(optimizer)

#define SELFTEST_DECLARE(name) enum vks_status name##_selftest(struct check *check);
SELFTEST_OPERATORS(SELFTEST_DECLARE, SELFTEST_DECLARE)
#undef SELFTEST_DECLARE

#endif
