// Writes parameters, or their gradients or moments, into a safetensors file.
#ifndef MODEL_WEIGHTS_WRITE_H
#define MODEL_WEIGHTS_WRITE_H

#include "model/weights.h"

struct weights_write_params {
    enum parameter_part part;
    bool is_half; // float16; else float32
    // Rows of sinusoidal positions to write out for each stack, beside the weights; 0: none. They
    // are those of config, which has no offset.
    uint32_t num_positions;
    const struct vks_model_config *config;
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

#endif
