// Models as Marian keeps them: arrays by Marian's names in a .npz, with its options in YAML.
#ifndef CONVERT_MARIAN_EXPORT_H
#define CONVERT_MARIAN_EXPORT_H

#include "model/model_object.h"
#include "vkseq/convert.h"

// vks_model_export for VKS_EXPORT_MARIAN and VKS_EXPORT_CT2; params->log is set.
enum vks_status marian_export(struct vks_model *model, const struct vks_tokenizer *tokenizer,
                              const struct vks_export_params *params, const char *dir);

#endif
