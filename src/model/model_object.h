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

// Adds those of the parts (PARTS_ADAM, ...) that there are not yet, all zero, so that the model can
// be trained.
enum vks_status model_prepare_training(struct vks_model *model, uint32_t parts);

// After the device was lost: opens it again, with all of the model's memory, zero but for positions
// of sines. No program may be left on the device. After an error the model can only be tried again
// or destroyed. Errors: those of device_reopen, VKS_ERR_OOM, VKS_ERR_DEVICE_OOM.
enum vks_status model_reopen(struct vks_model *model);

#endif
