// A small model with loud random weights, so that its decisions are clear.
#ifndef TESTS_RANDOM_MODEL_H
#define TESTS_RANDOM_MODEL_H

#include "model/model_object.h"

enum { RANDOM_MODEL_VOCAB = 61 };

// Width 32, 4 heads, 2+2 layers; </s> is 0, <pad> 60. Translations end now and then.
struct vks_model *random_model_create(struct vks_device *device, bool pre_norm, uint32_t seed);
// The same with other fields of the configuration; unset ones are as above.
struct vks_model *random_model_create_as(struct vks_device *device,
                                         const struct vks_model_config *config, uint32_t seed);

#endif
