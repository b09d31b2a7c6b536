// Parameters, or their gradients or moments, in a safetensors file under the names of the format.
#ifndef MODEL_WEIGHTS_FILE_H
#define MODEL_WEIGHTS_FILE_H

#include "model/weights.h"

// Writes one part in float32, in one step. Errors: as safetensors_write and buffer_read.
enum vks_status weights_write(struct weights *weights, enum parameter_part part, const char *path,
                              const struct vks_log *log);

// Reads one part, and allocates it if need be, once the file is known to fit; every named weight
// must be there with its shape, in float32, float16 or bfloat16, all values finite but
// for gradients, and what else
// is in the file must be redundant (tied copies, an output bias of zeros). Errors: VKS_ERR_IO,
// VKS_ERR_FORMAT, VKS_ERR_SHAPE, VKS_ERR_UNSUPPORTED, VKS_ERR_OOM.
enum vks_status weights_read(struct weights *weights, enum parameter_part part, const char *path,
                             const struct vks_log *log);

#endif
