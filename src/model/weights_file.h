// Parameters, or their gradients or moments, in a safetensors file under the names of the format.
#ifndef MODEL_WEIGHTS_FILE_H
#define MODEL_WEIGHTS_FILE_H

#include "model/weights.h"

// Whether weights_read would find what it needs for values and nothing else; needs no device, so
// weights may have been laid out without one. Errors: as weights_read's.
enum vks_status weights_check(const struct weights *weights, const char *path,
                              const struct vks_log *log);

struct weights_write_params {
    enum parameter_part part;
    bool is_half;           // float16; else float32
    uint32_t num_positions; // rows of sinusoidal positions to write out for each stack; 0: none
    const struct vks_model_config *config; // with num_positions
    const struct vks_log *log;
};

// Writes one part in one step, a tensor at a time. Errors: as safetensors_write, buffer_read and
// weights_halve.
enum vks_status weights_write(struct weights *weights, const struct weights_write_params *params,
                              const char *path);

// Rounds values to float16. name, path: what messages call the tensor and the file to come.
//   values, halves  [num]
// Errors: VKS_ERR_UNSUPPORTED for a value that float16 does not reach.
enum vks_status weights_halve(const float *values, size_t num, const char *name, const char *path,
                              const struct vks_log *log, uint16_t *halves);

// Reads one part, and allocates it if need be, once the file is known to fit; every named weight
// must be there with its shape, in float32, float16 or bfloat16, all values finite but
// for gradients, and what else
// is in the file must be redundant (tied copies, an output bias of zeros). Errors: VKS_ERR_IO,
// VKS_ERR_FORMAT, VKS_ERR_SHAPE, VKS_ERR_UNSUPPORTED, VKS_ERR_OOM.
enum vks_status weights_read(struct weights *weights, enum parameter_part part, const char *path,
                             const struct vks_log *log);

#endif
