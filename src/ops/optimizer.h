// The optimiser step: global gradient norm, clipping, and the update of all parameters.
#ifndef OPS_OPTIMIZER_H
#define OPS_OPTIMIZER_H

#include "graph/graph.h"
#include "optimizer_interface.h"

// Of the gradients' scale: see shaders/optimizer_interface.h.
struct cost_scaling {
    float factor; // at first
    uint32_t frequency;
    float multiplier, minimum; // multiplier 0: there is no scale
};

struct optimizer_params {
    uint32_t kind; // UPDATE_ADAM, UPDATE_ADAMW or UPDATE_SGD (beta1 is its momentum)
    float beta1, beta2, eps, decay;
    float smoothing; // least share of the parameters in their new average; 0: no averages
    struct cost_scaling scaling;
};

// The parts that a store needs for it.
uint32_t optimizer_parts(const struct optimizer_params *params);

// Updates the store's parameters from its gradients, and then averages from parameters. The store
// has optimizer_parts. `state` is u32 [1, STATE_WORDS], zero at the start of a training but for the
// cost scale, if there is one. It multiplies gradients (loss functions read it), which is undone.
// The header holds HEADER_RATE, HEADER_GRADIENT_SCALE and HEADER_CLIP. A gradient that is not
// finite skips the update, and lowers the cost scale or, if there is none to lower, halves the rate
// of those to come. Returns an output u32 [1, STATE_WORDS], a copy of the state, or NULL when the
// graph fails. Sources: shaders/update.comp, shaders/gradient_norm_finish.comp.
struct tensor *op_optimizer(struct graph *graph, struct parameter_store *store,
                            struct tensor *state, const struct optimizer_params *params);

#endif
