// Attention of one query a row with random numbers, on the device and by the oracle.
#ifndef SELFTEST_ATTENTION_STEP_CASE_H
#define SELFTEST_ATTENTION_STEP_CASE_H

#include "selftest/checks.h"

// Makes a case, runs it and compares. has_cache_rows: keys are found through a table of rows.
enum vks_status attention_step_case_check(struct check *check, uint32_t head_width,
                                          bool has_cache_rows);

#endif
