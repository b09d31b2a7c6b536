// The logits of a few rows with random numbers, on the device and by the oracle.
#ifndef SELFTEST_LOGITS_CASE_H
#define SELFTEST_LOGITS_CASE_H

#include "selftest/checks.h"

// Makes a case, runs it and compares.
enum vks_status logits_case_check(struct check *check);

#endif
