// The output projection: logits, and the loss over them.
#ifndef OPS_OUTPUT_H
#define OPS_OUTPUT_H

#include "cross_entropy_interface.h"
#include "graph/graph.h"

struct output_params {
    struct tensor *h;      // f32 [N, D]
    struct tensor *weight; // f32 [V, D]
    struct tensor *bias;   // f32 [1, V]; may be NULL
};

// logits = h W^T + b, f32 [N, V], without gradient.
struct tensor *op_logits(struct graph *graph, const struct output_params *params);

struct cross_entropy_params {
    struct output_params output;
    struct tensor *labels;  // u32 [N, 1]
    struct tensor *weights; // f32 [N, 1], what each row's loss is multiplied with; NULL: 1
    struct tensor *state;   // the optimiser's, with the gradients' cost scale; NULL: 1
    uint32_t pad;           // a symbol that is never predicted; CROSS_ENTROPY_NO_PAD: none
    float smoothing;        // 0 to under 1, spread over all symbols but the pad
    uint32_t chunk_rows;    // rows whose logits exist at once; 0: by the device's limits
    bool with_gradient;     // gradients of h and W are worked out along with the loss
};

// The label-smoothed cross-entropy of every row, in nats, f32 [N, 1]: chunk by chunk over rows, so
// that the logits of a whole batch never exist. With gradients, this writes those of the SUM of
// the losses times HEADER_LOSS_SCALE. NULL when the graph fails (VKS_ERR_SHAPE).
// Source: Szegedy et al. 2015, arXiv:1512.00567, section 7.
struct tensor *op_cross_entropy(struct graph *graph, const struct cross_entropy_params *params);

// The sum of a column f32 [N, 1] into an output f32 [1, 1].
struct tensor *op_sum(struct graph *graph, struct tensor *x);

#endif
