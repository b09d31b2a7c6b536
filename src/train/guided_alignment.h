// Guided alignment: what a head's attention is compared with while training.
#ifndef TRAIN_GUIDED_ALIGNMENT_H
#define TRAIN_GUIDED_ALIGNMENT_H

#include "data/alignments.h"
#include "data/batch.h"
#include "model/loss.h"
#include "vkseq/trainer.h"

// Zero-initialised is none.
struct guided_alignment {
    struct alignments *alignments; // owned
    struct loss_alignment loss;    // for the training's program
};

// Reads what params ask for, if anything. corpus: borrowed during the call.
// Errors: VKS_ERR_ARGUMENT for a layer that the decoder has not, or a weight below 0; those of
// alignments_load.
VKS_MUST_CHECK enum vks_status guided_alignment_open(const struct vks_trainer_params *params,
                                                     const struct vks_model_config *config,
                                                     const struct corpus *corpus,
                                                     struct guided_alignment *guided);
void guided_alignment_close(struct guided_alignment *guided);

// Writes the links of a batch's pairs into a slot; does nothing where there is no alignment.
void guided_alignment_feed(const struct guided_alignment *guided, const struct batch *batch,
                           struct loss_program *loss, uint32_t slot);

#endif
