#include "ops/residual.h"

#include "ops/dropout.h"
#include "residual_interface.h"

enum { X, F, S, DS, DX, DF };

struct node_params {
    struct dropout dropout;
    uint32_t accumulate_x, accumulate_f;
};

static struct residual_push make_push(const struct node_params *params, const struct tensor *x) {
    return (struct residual_push){
        .rows_dim = x->rows.idx,
        .quads = x->cols / 4,
        .stride = x->stride / 4,
        .dropout_threshold = params->dropout.threshold,
        .dropout_scale = params->dropout.scale,
        .dropout_stream = params->dropout.stream,
    };
}

static enum vks_status record(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct residual_push push = make_push(node->params, t[X]);
    return recorder_dispatch(
        recorder,
        &(struct op_dispatch){
            .key = {.shader = "residual"},
            .binds =
                {[1] = {t[X], ACCESS_READ}, [2] = {t[F], ACCESS_READ}, [3] = {t[S], ACCESS_WRITE}},
            .push = &push,
            .push_bytes = sizeof push,
            .groups = {{t[X]->rows, 1, 0}},
        });
}

static enum vks_status record_gradient(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    const struct residual_push push = make_push(params, t[DS]);
    return recorder_dispatch(
        recorder, &(struct op_dispatch){
                      .key = {"residual_gradient", {params->accumulate_x, params->accumulate_f}, 2},
                      .binds = {[1] = {t[DS], ACCESS_READ},
                                [2] = {t[DX], ACCESS_UPDATE},
                                [3] = {t[DF], ACCESS_UPDATE}},
                      .push = &push,
                      .push_bytes = sizeof push,
                      .groups = {{t[DS]->rows, 1, 0}},
                  });
}

static const struct op_class gradient_class = {"residual gradient", record_gradient, NULL};

static void backward(struct graph *graph, const struct node *node) {
    struct tensor *const *t = node->tensors;
    struct node_params params = *(const struct node_params *)node->params;
    struct tensor *g[NODE_MAX_TENSORS] = {[DS] = graph_gradient(t[S])};
    if (!g[DS])
        return;
    g[DX] = graph_write_gradient(graph, t[X], &params.accumulate_x);
    g[DF] = graph_write_gradient(graph, t[F], &params.accumulate_f);
    // One kernel writes both, also when only one is wanted.
    if (!g[DX])
        g[DX] = graph_activation(graph, t[X]->rows, t[X]->cols);
    if (!g[DF])
        g[DF] = graph_activation(graph, t[F]->rows, t[F]->cols);
    graph_add_node(graph, &gradient_class, g, &params, sizeof params);
}

static const struct op_class residual_class = {"residual", record, backward};

struct tensor *op_residual(struct graph *graph, struct tensor *x, struct tensor *f, float dropout) {
    if (graph->status != VKS_OK || !graph_check_alike(graph, "residual", x, f))
        return NULL;
    struct tensor *t[NODE_MAX_TENSORS] = {
        [X] = x, [F] = f, [S] = graph_activation(graph, x->rows, x->cols)};
    if (t[S])
        t[S]->needs_grad = x->needs_grad || f->needs_grad;
    const struct node_params params = {.dropout = dropout_make(graph, dropout)};
    graph_add_node(graph, &residual_class, t, &params, sizeof params);
    return t[S];
}
