// What comparing an operator with the oracle found: of each part the error that is largest beside
// its tolerance.
#ifndef SELFTEST_CHECKS_H
#define SELFTEST_CHECKS_H

#include "selftest/harness.h"
#include "selftest/tolerance.h"

struct deviation {
    double error;     // as in tolerance.h; of CHECK_EXACT: how many things are wrong
    double tolerance; // that it is to be within
    const char *what; // the tensor that has it; NULL: nothing was compared
};

struct check {
    struct vks_device *device; // borrowed
    struct arena *arena;       // borrowed; has room for the matrices of a case
    uint32_t seed;
    uint32_t element; // of activations and of the weights of products
    // How operators are run: harness_run, or what tests do with them.
    enum vks_status (*run)(struct harness *harness, harness_build *build, void *user);
    struct deviation parts[NUM_CHECK_PARTS];
    uint64_t num_different; // values that had other bits in a second run
};

// Runs a case; pads that are not zero count as a wrong result.
enum vks_status check_run(struct check *check, struct harness *harness, harness_build *build,
                          void *user);
// Takes note of how far `out` is from the reference: a result in float32 of inputs that are exact,
// or one that has been rounded to the check's elements, or comes of what the operator has rounded.
void check_compare(struct check *check, enum check_part part, const char *what,
                   const struct matrix *out, const struct matrix *reference);
void check_compare_rounded(struct check *check, enum check_part part, const char *what,
                           const struct matrix *out, const struct matrix *reference);
// Takes note of whether something holds that must hold exactly.
void check_exact(struct check *check, const char *what, bool holds);

#endif
