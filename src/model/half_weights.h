// The weights of products rounded to 16 bits once, for programs that read them in every run, as
// steps of decoding do.
#ifndef MODEL_HALF_WEIGHTS_H
#define MODEL_HALF_WEIGHTS_H

#include "graph/graph.h"
#include "model/weights.h"

// ELEMENT_... of activations with a precision.
uint32_t precision_element(enum vks_precision precision);

struct half_weight {
    const struct parameter *original; // borrowed from the weights; NULL: it is in no product
    struct parameter copy;
};

struct half_weights {
    uint32_t element; // ELEMENT_F16 or ELEMENT_BF16
    struct parameter_store store;
    struct half_weight *copies; // [num_parameters] by idx; owned
};

// Copies the weights as they are now; what changes in them later does not show. precision: not
// VKS_FLOAT32. weights: borrowed while the copies live.
// Errors: VKS_ERR_OOM, VKS_ERR_DEVICE_OOM, VKS_ERR_DEVICE_LOST.
enum vks_status half_weights_create(const struct vks_model_config *config,
                                    const struct weights *weights, enum vks_precision precision,
                                    struct half_weights **halves);
void half_weights_destroy(struct half_weights **halves);

// The copy of a parameter that is in products; NULL when the graph fails.
struct tensor *half_weights_tensor(const struct half_weights *halves, struct graph *graph,
                                   const struct parameter *parameter);

#endif
