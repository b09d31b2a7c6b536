// Parameters, or their gradients or moments, in a safetensors file under the names of the format.
#ifndef MODEL_WEIGHTS_FILE_H
#define MODEL_WEIGHTS_FILE_H

#include "io/tensor_set.h"
#include "model/weights.h"

// Writes one part in float32, in one step. Errors: as safetensors_write and buffer_read.
enum vks_status weights_write(struct weights *weights, enum parameter_part part, const char *path,
                              const struct vks_log *log);

// Reads one part, and allocates it if need be, once the tensors are known to fit; every named
// weight must be there with its shape, in float32, float16 or bfloat16, all values finite but for
// gradients, and what else there is must be redundant (tied copies, sinusoidal positions, an output
// bias of zeros). Errors: VKS_ERR_FORMAT, VKS_ERR_SHAPE, VKS_ERR_UNSUPPORTED, VKS_ERR_OOM.
enum vks_status weights_read(struct weights *weights, enum parameter_part part,
                             const struct vks_model_config *config, const struct tensor_set *set);
// The same of a safetensors file without positions. Errors also: VKS_ERR_IO.
enum vks_status weights_read_file(struct weights *weights, enum parameter_part part,
                                  const char *path, const struct vks_log *log);

// What only the tensors of one of Hugging Face's models say: whether there is an output bias, and
// which embeddings are one, where the configuration says that more are than the tensors do (as
// transformers, with a warning).
void weights_complete_config(const struct tensor_set *set, const struct vks_log *log,
                             struct vks_model_config *config);

#endif
