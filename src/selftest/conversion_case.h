// Matrices in halves and back.
#ifndef SELFTEST_CONVERSION_CASE_H
#define SELFTEST_CONVERSION_CASE_H

#include "selftest/checks.h"

// Makes a case with a type of element, runs it and compares.
enum vks_status conversion_case_check(struct check *check, uint32_t element);

#endif
