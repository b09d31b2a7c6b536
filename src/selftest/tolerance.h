// How far a device's result may be from the oracle's: by element type, relative to the norm.
//   |out - reference| <= tolerance (|reference| + floor)
// The floor stands for what a small result is the difference of: inputs are of order one.
#ifndef SELFTEST_TOLERANCE_H
#define SELFTEST_TOLERANCE_H

enum element_type { ELEMENT_F32, NUM_ELEMENT_TYPES };

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
};

#endif
