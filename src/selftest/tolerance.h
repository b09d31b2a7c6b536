// How far a device's result may be from the oracle's, relative to the norm.
//   |out - reference| <= tolerance (|reference| + tolerance_floor)
// The floor stands for what a small result is the difference of: inputs are of order one.
#ifndef SELFTEST_TOLERANCE_H
#define SELFTEST_TOLERANCE_H

#include "lib/shared.h"

// What of an operator is compared. An update is one of parameters and moments; what is exact is
// right or wrong.
enum check_part { CHECK_FORWARD, CHECK_GRADIENT, CHECK_UPDATE, CHECK_EXACT, NUM_CHECK_PARTS };

// Of sums in float32, of inputs that are exact.
static const double tolerances[NUM_CHECK_PARTS] = {
    [CHECK_FORWARD] = 2e-6, [CHECK_GRADIENT] = 5e-6, [CHECK_UPDATE] = 5e-6};

static const double tolerance_floor = 1;

// By element type, what is added for results that depend on numbers that an operator has rounded,
// or are such: half of the last of 11 bits, or of 8, which is the most that one rounding does to
// one number. The norm of many is off by 0.39 of that (errors even within half of the last bit,
// numbers even in logarithm), and errors of several roundings are independent, so that six in a
// row stay below it.
static const double roundings[NUM_ELEMENTS] = {[ELEMENT_F16] = 0x1p-11, [ELEMENT_BF16] = 0x1p-8};

#endif
