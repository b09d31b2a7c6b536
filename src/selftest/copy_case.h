// Rows copied to other places, and to where the host reads.
#ifndef SELFTEST_COPY_CASE_H
#define SELFTEST_COPY_CASE_H

#include "selftest/checks.h"

// Makes a case, runs it and compares.
enum vks_status copy_case_check(struct check *check);

#endif
