// Guided alignment: what a head's attention is compared with while training.
#ifndef TRAIN_GUIDED_ALIGNMENT_H
#define TRAIN_GUIDED_ALIGNMENT_H

#include "model/loss.h"
#include "vkseq/trainer.h"

// What params ask for, for the training's program: not guided if no text has alignments.
// Errors: VKS_ERR_ARGUMENT for a layer that the decoder has not, an unknown cost, a weight below 0,
// or text that is cut into other pieces in each epoch.
VKS_MUST_CHECK enum vks_status guided_alignment_init(const struct vks_trainer_params *params,
                                                     const struct vks_model_config *config,
                                                     struct loss_alignment *alignment);

#endif
