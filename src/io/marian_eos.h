// The id of </s> in the vocabularies of Marian's models, which the models themselves do not have.
#ifndef IO_MARIAN_EOS_H
#define IO_MARIAN_EOS_H

#include "vkseq/base.h"

// Looks it up in a .spm or .yml file; 0, Marian's default, where the file does not have it.
// Errors: VKS_ERR_IO, VKS_ERR_FORMAT, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status marian_eos_find(const char *path, const struct vks_log *log,
                                               uint32_t *id);

#endif
