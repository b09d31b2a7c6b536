// How far a device's result may be from the oracle's: by element type, relative to the norm.
//   |out - reference| <= tolerance (|reference| + floor)
// The floor stands for what a small result is the difference of: inputs are of order one.
#ifndef TESTS_TOLERANCE_H
#define TESTS_TOLERANCE_H

enum element_type { ELEMENT_F32, NUM_ELEMENT_TYPES };

static const struct {
    double forward, gradient, floor;
} tolerances[NUM_ELEMENT_TYPES] = {
    [ELEMENT_F32] = {2e-6, 5e-6, 1},
};

#endif
