// Parameters, or their gradients or moments, out of files with the names of the format.
#ifndef MODEL_WEIGHTS_FILE_H
#define MODEL_WEIGHTS_FILE_H

#include "io/tensor_set.h"
#include "model/weights.h"

// A tensor by its name, or where tied matrices are stored once, by that of another one. NULL: none.
const struct tensor_view *weights_find_tensor(const struct weights *weights,
                                              const struct tensor_set *set, const char *name);

// Whether there are the parameters that the configuration asks for, and no others; needs no device,
// so weights may have been laid out without one. config: NULL: without positions. Messages go to
// the log of the set. Errors: VKS_ERR_SHAPE, VKS_ERR_UNSUPPORTED, VKS_ERR_OOM.
enum vks_status weights_check(const struct weights *weights, enum parameter_part part,
                              const struct vks_model_config *config, const struct tensor_set *set);

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
