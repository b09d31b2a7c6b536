// Sets of allowed tokens with random numbers, on the device and bit by bit.
#ifndef SELFTEST_ALLOW_CASE_H
#define SELFTEST_ALLOW_CASE_H

#include "selftest/checks.h"

// Rows of two sentences and an idle one; makes the case, runs it and compares.
enum vks_status allow_case_check(struct check *check, uint32_t vocab);

#endif
