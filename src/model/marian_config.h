// The configuration of a Marian model, special:model.yml.
#ifndef MODEL_MARIAN_CONFIG_H
#define MODEL_MARIAN_CONFIG_H

#include "io/marian_file.h"
#include "vkseq/model.h"

// Reads the configuration of a model, whose vocabularies get a <pad> as their last id. Sizes are
// those of its arrays. *gate: what the activation's sigmoid multiplies its input with; other than 1
// it must become a part of the weights (marian_weights_read).
// Errors: VKS_ERR_FORMAT; VKS_ERR_UNSUPPORTED for what vkseq has no layer for (the log names the
// option); VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status marian_config_read(const struct marian_file *file, const char *name,
                                                  const struct vks_log *log,
                                                  struct vks_model_config *config, float *gate);

#endif
