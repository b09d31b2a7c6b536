// The ids of </s> and <unk> in the vocabularies of Marian's models, which the models themselves do
// not have.
#ifndef IO_MARIAN_SPECIALS_H
#define IO_MARIAN_SPECIALS_H

#include "vkseq/base.h"

// Looks them up in a .spm or .yml file; 0 and 1, Marian's defaults, where the file lacks them.
// Errors: VKS_ERR_IO, VKS_ERR_FORMAT, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status marian_specials_find(const char *path, const struct vks_log *log,
                                                    uint32_t *eos_id, uint32_t *unk_id);

#endif
