// The weights of a Marian model.
#ifndef MODEL_MARIAN_WEIGHTS_H
#define MODEL_MARIAN_WEIGHTS_H

#include "io/marian_file.h"
#include "model/weights.h"

// Where a weight lies in a Marian model.
struct marian_place {
    char name[MARIAN_NAME_BYTES];
    bool is_transposed;
    bool may_lack; // absent biases are zeros
};

// The place of a weight by the name that vkseq has for it; false: Marian has none.
bool marian_place_of(const struct vks_model_config *config, const char *name,
                     struct marian_place *place);

// Fills the weights, which it allocates once the file is known to fit. The row of <pad> is zero.
// gate: the factor of marian_config_read, which goes into what stands before the activation, and
// its inverse into what stands after.
// Errors: VKS_ERR_SHAPE (an array that is missing, of another shape, or that the model has no place
// for), VKS_ERR_FORMAT (no finite numbers), VKS_ERR_UNSUPPORTED, VKS_ERR_OOM, VKS_ERR_DEVICE_OOM.
VKS_MUST_CHECK enum vks_status marian_weights_read(struct weights *weights,
                                                   const struct vks_model_config *config,
                                                   float gate, const struct marian_file *file,
                                                   const char *path);

#endif
