#include "train/batch_run.h"

#include "base/check.h"
#include "base/log.h"

static enum vks_status submit(const struct batch_runner *runner, uint32_t slot,
                              const struct batch *batch, const struct loss_step *step) {
    const struct loss_batch fed = {
        .source = {batch->src, batch->src_offsets, batch->num_sequences},
        .target = {batch->tgt_in, batch->tgt_offsets, batch->num_sequences},
        .labels = batch->tgt_out,
        .weights = batch->weights,
        .links = batch->links};
    return loss_program_submit(runner->loss, slot, &fed, step);
}

enum vks_status batch_submit(const struct batch_runner *runner, uint32_t slot,
                             const struct batch *batch, const struct loss_step *step,
                             struct batch_sums *done) {
    struct loss_step own = *step;
    uint32_t next = 0;
    *done = (struct batch_sums){0};
    if (!runner->part)
        return submit(runner, slot, batch, step);
    for (;;) {
        uint32_t first = next;
        next = batch_take_part(batch, first, runner->part);
        CHECK(next > first); // a part has room for the longest sentence
        TRY(submit(runner, slot, runner->part, &own));
        if (next == batch->num_sequences)
            return VKS_OK;
        TRY(batch_wait(runner, slot, done));
        own.micro++;
        own.seed++; // rows begin anew, and shall have draws of their own
    }
}

enum vks_status batch_wait(const struct batch_runner *runner, uint32_t slot,
                           struct batch_sums *sums) {
    double total;
    TRY(loss_program_wait(runner->loss, slot, &total));
    sums->loss += total;
    sums->alignment += loss_program_link_total(runner->loss, slot);
    return VKS_OK;
}
