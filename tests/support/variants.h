// Operators run in several ways that must give the same bits, and compared with the oracle.
#ifndef TESTS_VARIANTS_H
#define TESTS_VARIANTS_H

#include "selftest/checks.h"

// The seed of a test program's random numbers: VKSEQ_TEST_SEED, or one of its own. Printed by
// failures.
uint32_t variants_seed(void);

// Builds and runs: plainly, with poisoned memory, and with a barrier everywhere, on two slots each;
// results must have the same bits. Adding a second micro-batch must double parameters' gradients.
// Fails the test itself; what it returns is VKS_OK.
enum vks_status variants_run(struct harness *harness, harness_build *build, void *user);

// A check that runs cases in all variants. The arena is the caller's, to be finished.
struct check variants_check(struct vks_device *device, struct arena *arena);
// Fails the test unless the status is VKS_OK and all errors are within their tolerances; begins the
// check anew, and finishes its arena.
void assert_check(enum vks_status status, struct check *check);

// Fails the test when the two are further apart than the table says.
void assert_forward(const char *name, const struct matrix *out, const struct matrix *reference);
void assert_gradient(const char *name, const struct matrix *out, const struct matrix *reference);
// Fails the test unless rows first .. of `batch` have the same bits as all of `alone`.
void assert_same_rows(const char *name, const struct matrix *batch, uint32_t first,
                      const struct matrix *alone);

#endif
