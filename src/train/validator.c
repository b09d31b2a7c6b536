#include "base/log.h"
#include "train/trainer_object.h"

// Submits one batch of the validation set into a slot.
static enum vks_status submit(struct validator *valid, uint32_t slot, const struct batch *batch) {
    const struct loss_batch fed = {
        .source = {batch->src, batch->src_offsets, batch->num_sequences},
        .target = {batch->tgt_in, batch->tgt_offsets, batch->num_sequences},
        .labels = batch->tgt_out};
    return loss_program_submit(&valid->loss, slot, &fed, &(struct loss_step){0});
}

enum vks_status validator_run(struct vks_trainer *trainer, double *cost) {
    struct validator *valid = &trainer->valid;
    double total = 0, part;
    uint64_t num_tokens = 0;
    batcher_seek(valid->batcher, 0, 0);
    uint32_t num_batches = batcher_num_batches(valid->batcher, 0);
    for (uint32_t i = 0; i <= num_batches; i++) {
        if (i < num_batches) {
            const struct batch *batch = batcher_next(valid->batcher);
            TRY(submit(valid, i % TRAINER_SLOTS, batch));
            num_tokens += batch->num_tgt;
        }
        if (i > 0) {
            TRY(loss_program_wait(&valid->loss, (i - 1) % TRAINER_SLOTS, &part));
            total += part;
        }
    }
    *cost = total / (double)num_tokens;
    return VKS_OK;
}
