#include "ops/linear.h"

#include "base/log.h"
#include "ops/matmul.h"

enum { X, WEIGHT, BIAS, Y };
enum { DY, GRAD_X, GRAD_WEIGHT, DX, DWEIGHT, DBIAS, SLICES };

struct gradient_params {
    uint32_t accumulate_x, accumulate_weight, accumulate_bias;
};

static enum vks_status record(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    return matmul_record(recorder, &(struct matmul){.layout = GEMM_NT,
                                                    .a = t[X],
                                                    .b = t[WEIGHT],
                                                    .c = t[Y],
                                                    .bias = t[BIAS],
                                                    .rows = t[X]->rows});
}

static enum vks_status record_gradient(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct gradient_params *params = node->params;
    if (t[DWEIGHT])
        TRY(matmul_record(recorder, &(struct matmul){.layout = GEMM_TN,
                                                     .a = t[DY],
                                                     .b = t[GRAD_X],
                                                     .c = t[DWEIGHT],
                                                     .bias = t[DBIAS],
                                                     .slices = t[SLICES],
                                                     .rows = t[DY]->rows,
                                                     .accumulate = params->accumulate_weight,
                                                     .accumulate_bias = params->accumulate_bias}));
    if (!t[DX])
        return VKS_OK;
    return matmul_record(recorder, &(struct matmul){.layout = GEMM_NN,
                                                    .a = t[DY],
                                                    .b = t[GRAD_WEIGHT],
                                                    .c = t[DX],
                                                    .rows = t[DY]->rows,
                                                    .accumulate = params->accumulate_x});
}

static const struct op_class linear_gradient_class = {"linear gradient", record_gradient, NULL};

static void backward(struct graph *graph, const struct node *node) {
    struct tensor *const *t = node->tensors;
    struct tensor *dy = graph_gradient(t[Y]);
    struct gradient_params params = {0};
    if (!dy)
        return;
    struct tensor *g[NODE_MAX_TENSORS] = {[DY] = dy, [GRAD_X] = t[X], [GRAD_WEIGHT] = t[WEIGHT]};
    g[DX] = graph_write_gradient(graph, t[X], &params.accumulate_x);
    g[DWEIGHT] = graph_write_gradient(graph, t[WEIGHT], &params.accumulate_weight);
    g[DBIAS] = graph_write_gradient(graph, t[BIAS], &params.accumulate_bias);
    if (g[DBIAS] && !g[DWEIGHT]) // the bias's comes along with the weight's
        g[DWEIGHT] = graph_activation(graph, t[WEIGHT]->rows, t[WEIGHT]->cols);
    g[SLICES] = matmul_slices(graph, dy->rows.capacity, g[DWEIGHT], NULL);
    graph_add_node(graph, &linear_gradient_class, g, &params, sizeof params);
}

static const struct op_class linear_class = {"linear", record, backward};

struct tensor *op_linear(struct graph *graph, struct tensor *x, struct tensor *weight,
                         struct tensor *bias) {
    if (graph->status != VKS_OK)
        return NULL;
    if (weight->cols != x->cols || (bias && bias->cols != weight->rows.capacity) ||
        x->cols < MATMUL_MIN_COLS || weight->rows.capacity < MATMUL_MIN_COLS) {
        graph_fail(graph, VKS_ERR_SHAPE,
                   "linear: x [N, %u], weight [%u, %u], bias [%u]; no width under %d", x->cols,
                   weight->rows.capacity, weight->cols, bias ? bias->cols : 0, MATMUL_MIN_COLS);
        return NULL;
    }
    struct tensor *y = graph_hidden(graph, x->rows, weight->rows.capacity);
    if (y)
        y->needs_grad = x->needs_grad || weight->needs_grad || (bias && bias->needs_grad);
    graph_add_node(
        graph, &linear_class,
        (struct tensor *[NODE_MAX_TENSORS]){[X] = x, [WEIGHT] = weight, [BIAS] = bias, [Y] = y},
        NULL, 0);
    return y;
}
