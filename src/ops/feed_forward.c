#include "ops/feed_forward.h"

#include "base/log.h"
#include "ops/dropout.h"
#include "ops/matmul.h"

// HIDDEN is what the activation gave, under dropout; BEFORE what it was given (for ReLU HIDDEN is
// above 0 where a gradient flows, and BEFORE is HIDDEN).
enum {
    X,
    WEIGHT1,
    BIAS1,
    WEIGHT2,
    BIAS2,
    HIDDEN,
    BEFORE,
    Y,
    DY,
    DHIDDEN,
    DX,
    DWEIGHT1,
    DBIAS1,
    DWEIGHT2,
    DBIAS2,
    SLICES
};

struct node_params {
    enum activation activation;
    struct dropout dropout;
    uint32_t accumulate_x, accumulate_weight1, accumulate_bias1;
    uint32_t accumulate_weight2, accumulate_bias2;
};

static const uint32_t forward_epilogue[] = {GEMM_RELU, GEMM_GELU, GEMM_SILU};
static const uint32_t backward_epilogue[] = {GEMM_RELU_BACKWARD, GEMM_GELU_BACKWARD,
                                             GEMM_SILU_BACKWARD};

static enum vks_status record(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    TRY(matmul_record(recorder,
                      &(struct matmul){.layout = GEMM_NT,
                                       .a = t[X],
                                       .b = t[WEIGHT1],
                                       .c = t[HIDDEN],
                                       .bias = t[BIAS1],
                                       .aux = t[BEFORE],
                                       .rows = t[X]->rows,
                                       .epilogue = forward_epilogue[params->activation]}));
    TRY(dropout_record(recorder, &params->dropout, t[HIDDEN]));
    return matmul_record(recorder, &(struct matmul){.layout = GEMM_NT,
                                                    .a = t[HIDDEN],
                                                    .b = t[WEIGHT2],
                                                    .c = t[Y],
                                                    .bias = t[BIAS2],
                                                    .rows = t[X]->rows});
}

static enum vks_status record_gradient(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    if (t[DWEIGHT2])
        TRY(matmul_record(recorder, &(struct matmul){.layout = GEMM_TN,
                                                     .a = t[DY],
                                                     .b = t[HIDDEN],
                                                     .c = t[DWEIGHT2],
                                                     .bias = t[DBIAS2],
                                                     .slices = t[SLICES],
                                                     .rows = t[DY]->rows,
                                                     .accumulate = params->accumulate_weight2,
                                                     .accumulate_bias = params->accumulate_bias2}));
    TRY(matmul_record(recorder,
                      &(struct matmul){.layout = GEMM_NN,
                                       .a = t[DY],
                                       .b = t[WEIGHT2],
                                       .c = t[DHIDDEN],
                                       .aux = t[BEFORE],
                                       .rows = t[DY]->rows,
                                       .epilogue = backward_epilogue[params->activation]}));
    TRY(dropout_record(recorder, &params->dropout, t[DHIDDEN]));
    if (t[DWEIGHT1])
        TRY(matmul_record(recorder, &(struct matmul){.layout = GEMM_TN,
                                                     .a = t[DHIDDEN],
                                                     .b = t[X],
                                                     .c = t[DWEIGHT1],
                                                     .bias = t[DBIAS1],
                                                     .slices = t[SLICES],
                                                     .rows = t[DY]->rows,
                                                     .accumulate = params->accumulate_weight1,
                                                     .accumulate_bias = params->accumulate_bias1}));
    if (!t[DX])
        return VKS_OK;
    return matmul_record(recorder, &(struct matmul){.layout = GEMM_NN,
                                                    .a = t[DHIDDEN],
                                                    .b = t[WEIGHT1],
                                                    .c = t[DX],
                                                    .rows = t[DY]->rows,
                                                    .accumulate = params->accumulate_x});
}

static const struct op_class gradient_class = {"feed-forward gradient", record_gradient, NULL};

static void backward(struct graph *graph, const struct node *node) {
    struct tensor *const *t = node->tensors;
    struct node_params params = *(const struct node_params *)node->params;
    struct tensor *dy = graph_gradient(t[Y]);
    if (!dy)
        return;
    struct tensor *g[NODE_MAX_TENSORS] = {
        [X] = t[X],           [WEIGHT1] = t[WEIGHT1], [WEIGHT2] = t[WEIGHT2],
        [HIDDEN] = t[HIDDEN], [BEFORE] = t[BEFORE],   [DY] = dy};
    g[DHIDDEN] = graph_activation(graph, t[HIDDEN]->rows, t[HIDDEN]->cols);
    g[DX] = graph_write_gradient(graph, t[X], &params.accumulate_x);
    g[DWEIGHT1] = graph_write_gradient(graph, t[WEIGHT1], &params.accumulate_weight1);
    g[DBIAS1] = graph_write_gradient(graph, t[BIAS1], &params.accumulate_bias1);
    g[DWEIGHT2] = graph_write_gradient(graph, t[WEIGHT2], &params.accumulate_weight2);
    g[DBIAS2] = graph_write_gradient(graph, t[BIAS2], &params.accumulate_bias2);
    // The biases' come along with the weights'.
    if (g[DBIAS1] && !g[DWEIGHT1])
        g[DWEIGHT1] = graph_activation(graph, t[WEIGHT1]->rows, t[WEIGHT1]->cols);
    if (g[DBIAS2] && !g[DWEIGHT2])
        g[DWEIGHT2] = graph_activation(graph, t[WEIGHT2]->rows, t[WEIGHT2]->cols);
    g[SLICES] = matmul_slices(graph, dy->rows.capacity, g[DWEIGHT1], g[DWEIGHT2]);
    graph_add_node(graph, &gradient_class, g, &params, sizeof params);
}

static const struct op_class feed_forward_class = {"feed-forward", record, backward};

struct tensor *op_feed_forward(struct graph *graph, const struct feed_forward_params *p) {
    if (graph->status != VKS_OK)
        return NULL;
    uint32_t hidden = p->weight1->rows.capacity, width = p->x->cols;
    if (hidden < MATMUL_MIN_COLS || width < MATMUL_MIN_COLS || p->weight1->cols != width ||
        p->weight2->cols != hidden || p->weight2->rows.capacity != width ||
        p->bias1->cols != hidden || p->bias2->cols != width) {
        graph_fail(graph, VKS_ERR_SHAPE,
                   "feed-forward: x [N, %u], weights [%u, %u] and [%u, %u], biases [%u] and [%u]",
                   width, hidden, p->weight1->cols, p->weight2->rows.capacity, p->weight2->cols,
                   p->bias1->cols, p->bias2->cols);
        return NULL;
    }
    struct tensor *t[NODE_MAX_TENSORS] = {[X] = p->x,
                                          [WEIGHT1] = p->weight1,
                                          [BIAS1] = p->bias1,
                                          [WEIGHT2] = p->weight2,
                                          [BIAS2] = p->bias2};
    t[HIDDEN] = graph_hidden(graph, p->x->rows, hidden);
    t[BEFORE] =
        p->activation == ACTIVATION_RELU ? t[HIDDEN] : graph_hidden(graph, p->x->rows, hidden);
    t[Y] = graph_hidden(graph, p->x->rows, width);
    if (t[Y])
        t[Y]->needs_grad = p->x->needs_grad || p->weight1->needs_grad || p->bias1->needs_grad ||
                           p->weight2->needs_grad || p->bias2->needs_grad;
    const struct node_params params = {.activation = p->activation,
                                       .dropout = dropout_make_inner(graph, p->dropout, 1)};
    graph_add_node(graph, &feed_forward_class, t, &params, sizeof params);
    return t[Y];
}
