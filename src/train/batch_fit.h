// How large batches may be for their programs to fit in a workspace of device memory.
#ifndef TRAIN_BATCH_FIT_H
#define TRAIN_BATCH_FIT_H

#include "model/loss.h"

struct batch_fit_params {
    struct vks_device *device;       // borrowed
    const struct loss_params *train; // borrowed; whatever its capacity
    const struct loss_params *valid; // borrowed; NULL: none
    uint64_t workspace_bytes;
    uint32_t least_words, most_words; // a side
    const struct vks_log *log;        // borrowed
};

struct batch_fit {
    uint32_t words; // a side
    uint64_t bytes; // that the programs take then
};

// The largest number of words a side. Builds graphs, and nothing on the device.
// Errors: VKS_ERR_DEVICE_OOM when even the least does not fit, VKS_ERR_OOM.
enum vks_status batch_fit_find(const struct batch_fit_params *params, struct batch_fit *fit);

#endif
