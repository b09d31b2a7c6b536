// Batches given to a loss program, in parts where it has no room for them.
#ifndef TRAIN_BATCH_RUN_H
#define TRAIN_BATCH_RUN_H

#include "data/batch.h"
#include "model/loss.h"

struct batch_runner {
    struct loss_program *loss; // borrowed
    struct batch *part;        // borrowed; has the program's capacity; NULL: all fit
};

// Sums over the target tokens of a batch.
struct batch_sums {
    double loss, alignment;
};

// Submits a batch to a slot, and all of its gradient to one micro-batch. Where there are parts, all
// but the last have been waited for; *done is their sums, or 0.
enum vks_status batch_submit(const struct batch_runner *runner, uint32_t slot,
                             const struct batch *batch, const struct loss_step *step,
                             struct batch_sums *done);
// Waits for the slot, and adds its sums.
enum vks_status batch_wait(const struct batch_runner *runner, uint32_t slot,
                           struct batch_sums *sums);

#endif
