// Whether a device computes what it should: what `vkseq selftest` prints.
#ifndef VKSEQ_SELFTEST_H
#define VKSEQ_SELFTEST_H

#include "vkseq/device.h"

#ifdef __cplusplus
extern "C" {
#endif

// One figure of a self-test.
struct vks_selftest_result {
    const char *name;  // "linear"
    const char *part;  // "forward", "gradient", ...
    const char *worst; // where the error is largest, for instance a gradient's name; "" if nowhere
    // Operators and losses: relative to a reference in double precision, infinite where a number is
    // none. Bits: how many values differ.
    double error, tolerance;
    enum vks_status status; // why the figure could not be had
    bool is_ok;             // the status is VKS_OK and the error within its tolerance
};

struct vks_selftest_params {
    // Called with every figure as soon as there is one; its strings stay. May be NULL.
    void (*on_result)(void *user, const struct vks_selftest_result *result);
    void *user;
};

// Runs every operator, forward and backward, against a reference in double precision; trains a tiny
// model on built-in data, whose losses are known; and repeats some of it, since the same work gives
// the same bits, and a sentence has the same ones alone and among others. *is_ok: all figures are.
// What a driver refuses or breaks off is a figure that is not ok, and the rest goes on.
// Errors: VKS_ERR_OOM.
VKS_API VKS_MUST_CHECK enum vks_status
vks_selftest_run(struct vks_device *device, const struct vks_selftest_params *params, bool *is_ok);

#ifdef __cplusplus
}
#endif
#endif
