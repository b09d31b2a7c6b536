// Parameters that training leaves as they are, chosen by name.
#ifndef MODEL_WEIGHTS_FREEZE_H
#define MODEL_WEIGHTS_FREEZE_H

#include "model/weights.h"

// Lays the weights out anew, values alone, so that the parameters whose names match a pattern are
// frozen and no others: they have no gradients and moments. In a pattern * stands for any
// characters, ? for one. Programs built before must not be used after. On failure the weights are
// as they were. Errors: VKS_ERR_ARGUMENT (logged) when a pattern matches nothing, a part only of
// what is one matrix, or everything; VKS_ERR_OOM, VKS_ERR_DEVICE_OOM.
enum vks_status weights_freeze(struct weights *weights, const struct vks_model_config *config,
                               const char *const *patterns, uint32_t num_patterns);

// Whether a name matches a pattern.
bool weights_name_matches(const char *pattern, const char *name);

// Values that are frozen.
uint64_t weights_num_frozen(const struct weights *weights);

#endif
