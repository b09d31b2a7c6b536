// How far a device's result may be from the oracle's: by element type, relative to the norm.
//   |out - reference| <= tolerance (|reference| + floor)
// The floor stands for what a small result is the difference of: inputs are of order one.
#ifndef SELFTEST_TOLERANCE_H
#define SELFTEST_TOLERANCE_H

#include "lib/shared.h"

enum { NUM_ELEMENT_TYPES = ELEMENT_BF16 + 1 };

// What of an operator is compared. An update is one of parameters and moments; what is exact is
// right or wrong.
enum check_part { CHECK_FORWARD, CHECK_GRADIENT, CHECK_UPDATE, CHECK_EXACT, NUM_CHECK_PARTS };

static const struct {
    double parts[NUM_CHECK_PARTS], floor;
} tolerances[NUM_ELEMENT_TYPES] = {
    [ELEMENT_F32] =
        {
            .parts = {[CHECK_FORWARD] = 2e-6, [CHECK_GRADIENT] = 5e-6, [CHECK_UPDATE] = 5e-6},
            .floor = 1,
        },
    // What is handed on has been rounded: half of the last of 11 bits, or of 8. Sums and gradients
    // are float32, of inputs that are exact.
    [ELEMENT_F16] =
        {
            .parts = {[CHECK_FORWARD] = 4.9e-4, [CHECK_GRADIENT] = 5e-6},
            .floor = 1,
        },
    [ELEMENT_BF16] =
        {
            .parts = {[CHECK_FORWARD] = 3.92e-3, [CHECK_GRADIENT] = 5e-6},
            .floor = 1,
        },
};

#endif
