// Guided alignment: what a head's attention is compared with while training.
#ifndef TRAIN_GUIDED_ALIGNMENT_H
#define TRAIN_GUIDED_ALIGNMENT_H

#include "data/alignments.h"
#include "data/batch.h"
#include "model/loss.h"
#include "vkseq/trainer.h"

// Zero-initialised is none.
struct guided_alignment {
    struct loss_alignment loss;    // for the training's program; not guided: none is asked for
    struct alignments *alignments; // owned
};

// What params ask for. Errors: VKS_ERR_ARGUMENT for a layer that the decoder has not, an unknown
// cost or a weight below 0.
VKS_MUST_CHECK enum vks_status guided_alignment_init(const struct vks_trainer_params *params,
                                                     const struct vks_model_config *config,
                                                     struct guided_alignment *guided);
// Reads the alignments, if any are asked for. corpus: borrowed during the call.
// Errors: those of alignments_load.
VKS_MUST_CHECK enum vks_status guided_alignment_load(const struct vks_trainer_params *params,
                                                     const struct corpus *corpus,
                                                     struct guided_alignment *guided);
void guided_alignment_close(struct guided_alignment *guided);

// Writes the links of a batch's pairs into a slot.
void guided_alignment_feed(const struct guided_alignment *guided, const struct batch *batch,
                           struct loss_program *loss, uint32_t slot);

#endif
