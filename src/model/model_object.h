// A model: its shape, and its parameters on a device.
#ifndef MODEL_MODEL_OBJECT_H
#define MODEL_MODEL_OBJECT_H

#include "model/weights.h"
#include "vkseq/model.h"

struct vks_model {
    struct vks_device *device; // borrowed
    struct vks_model_config config;
    struct weights weights;
};

// Adds gradients and moments, all zero, so that the model can be trained.
enum vks_status model_prepare_training(struct vks_model *model);

#endif
