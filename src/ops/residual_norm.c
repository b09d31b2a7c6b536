#include "ops/residual_norm.h"

#include "base/log.h"
#include "ops/dropout.h"
#include "residual_norm_interface.h"

enum { X, F, GAMMA, BETA, S, Y, STATS, DY, DS, DX, DF, DGAMMA, DBETA, PARTS };

struct node_params {
    float eps;
    struct dropout dropout;
    bool keeps_stream;
    struct dim chunks;
    uint32_t accumulate_x, accumulate_gamma;
};

static struct norm_push make_push(const struct node *node) {
    const struct node_params *params = node->params;
    return (struct norm_push){
        .rows_dim = node->tensors[S]->rows.idx,
        .chunks_dim = params->chunks.idx,
        .quads = node->tensors[S]->cols / 4,
        .stride = node->tensors[S]->stride / 4,
        .eps = params->eps,
        .dropout_threshold = params->dropout.threshold,
        .dropout_scale = params->dropout.scale,
        .dropout_stream = params->dropout.stream,
    };
}

static enum vks_status record(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct norm_push push = make_push(node);
    return recorder_dispatch(recorder, &(struct op_dispatch){
                                           .key = {"residual_norm", {t[F] != NULL}, 1},
                                           .binds = {[1] = {t[X], ACCESS_READ},
                                                     [2] = {t[F], ACCESS_READ},
                                                     [3] = {t[GAMMA], ACCESS_READ},
                                                     [4] = {t[BETA], ACCESS_READ},
                                                     [5] = {t[F] ? t[S] : NULL, ACCESS_UPDATE},
                                                     [6] = {t[Y], ACCESS_WRITE},
                                                     [7] = {t[STATS], ACCESS_WRITE}},
                                           .push = &push,
                                           .push_bytes = sizeof push,
                                           .groups = {{t[S]->rows, 1, 0}},
                                       });
}

static enum vks_status record_parameter_gradient(struct recorder *recorder,
                                                 const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    const struct norm_push push = make_push(node);
    struct op_groups quads = groups_for_lanes(recorder, push.quads);
    TRY(recorder_dispatch(recorder, &(struct op_dispatch){
                                        .key = {.shader = "norm_parameter_gradient"},
                                        .binds = {[1] = {t[DY], ACCESS_READ},
                                                  [2] = {t[S], ACCESS_READ},
                                                  [3] = {t[STATS], ACCESS_READ},
                                                  [4] = {t[PARTS], ACCESS_WRITE}},
                                        .push = &push,
                                        .push_bytes = sizeof push,
                                        .groups = {{t[S]->rows, NORM_CHUNK_ROWS, 0}, quads},
                                    }));
    return recorder_dispatch(recorder,
                             &(struct op_dispatch){
                                 .key = {"norm_parameter_sum", {0, params->accumulate_gamma}, 2},
                                 .binds = {[1] = {t[PARTS], ACCESS_READ},
                                           [2] = {t[DGAMMA], ACCESS_UPDATE},
                                           [3] = {t[DBETA], ACCESS_UPDATE}},
                                 .push = &push,
                                 .push_bytes = sizeof push,
                                 .groups = {quads},
                             });
}

static enum vks_status record_gradient(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    const struct norm_push push = make_push(node);
    TRY(recorder_dispatch(recorder,
                          &(struct op_dispatch){
                              .key = {"residual_norm_gradient",
                                      {0, params->accumulate_x, t[DS] != NULL, t[DF] != NULL},
                                      4},
                              .binds = {[1] = {t[DY], ACCESS_READ},
                                        [2] = {t[S], ACCESS_READ},
                                        [3] = {t[STATS], ACCESS_READ},
                                        [4] = {t[GAMMA], ACCESS_READ},
                                        [5] = {t[DS], ACCESS_READ},
                                        [6] = {t[DX], ACCESS_UPDATE},
                                        [7] = {t[DF], ACCESS_WRITE}},
                              .push = &push,
                              .push_bytes = sizeof push,
                              .groups = {{t[S]->rows, 1, 0}},
                          }));
    return t[DGAMMA] ? record_parameter_gradient(recorder, node) : VKS_OK;
}

static const struct op_class gradient_class = {"residual norm gradient", record_gradient, NULL};

// Without dropout the gradient of f is that of x, and shares its memory when x has none yet.
static void add_branch_gradient(struct graph *graph, struct tensor *f,
                                const struct dropout *dropout, uint32_t accumulate_x,
                                struct tensor **g) {
    uint32_t accumulate_f = ACCUMULATE_NO;
    if (!f || !f->needs_grad)
        return;
    if (dropout->threshold == 0 && accumulate_x == ACCUMULATE_NO && g[DX]) {
        graph_share_gradient(f, g[DX]);
        return;
    }
    g[DF] = graph_write_gradient(graph, f, &accumulate_f);
    if (accumulate_f != ACCUMULATE_NO)
        graph_fail(graph, VKS_ERR_UNSUPPORTED, "residual norm must be the only reader of f");
}

static void backward(struct graph *graph, const struct node *node) {
    struct tensor *const *t = node->tensors;
    struct node_params params = *(const struct node_params *)node->params;
    uint32_t accumulate_beta = 0;
    struct tensor *g[NODE_MAX_TENSORS] = {
        [GAMMA] = t[GAMMA], [S] = t[S], [STATS] = t[STATS], [DY] = graph_gradient(t[Y])};
    if (!g[DY])
        return;
    if (t[F] && params.keeps_stream)
        g[DS] = graph_gradient(t[S]);
    g[DX] = graph_write_gradient(graph, t[X], &params.accumulate_x);
    if (!g[DX])
        g[DX] = graph_activation(graph, t[S]->rows, t[S]->cols);
    add_branch_gradient(graph, t[F], &params.dropout, params.accumulate_x, g);
    g[DGAMMA] = graph_write_gradient(graph, t[GAMMA], &params.accumulate_gamma);
    g[DBETA] = graph_write_gradient(graph, t[BETA], &accumulate_beta);
    if (g[DGAMMA] || g[DBETA])
        g[PARTS] = graph_activation(graph, params.chunks, 2 * t[S]->cols);
    // One kernel writes both, also when only one is wanted.
    if (g[DGAMMA] && !g[DBETA])
        g[DBETA] = graph_activation(graph, t[BETA]->rows, t[BETA]->cols);
    if (g[DBETA] && !g[DGAMMA]) {
        g[DGAMMA] = graph_activation(graph, t[GAMMA]->rows, t[GAMMA]->cols);
        params.accumulate_gamma = accumulate_beta;
    }
    graph_add_node(graph, &gradient_class, g, &params, sizeof params);
}

static const struct op_class residual_norm_class = {"residual norm", record, backward};

void op_residual_norm(struct graph *graph, const struct residual_norm_params *p, struct tensor **s,
                      struct tensor **y) {
    *s = *y = NULL;
    if (graph->status != VKS_OK)
        return;
    uint32_t width = p->x->cols;
    if (width % 4 != 0 || p->gamma->cols != width || p->beta->cols != width ||
        (p->f && p->f->cols != width)) {
        graph_fail(graph, VKS_ERR_SHAPE,
                   "layer norm: x [N, %u], f [N, %u], gamma [%u], beta [%u]; the width must be a "
                   "multiple of 4",
                   width, p->f ? p->f->cols : width, p->gamma->cols, p->beta->cols);
        return;
    }
    struct tensor *t[NODE_MAX_TENSORS] = {
        [X] = p->x, [F] = p->f, [GAMMA] = p->gamma, [BETA] = p->beta};
    t[S] = p->f ? graph_hidden(graph, p->x->rows, width) : p->x;
    t[Y] = graph_hidden(graph, p->x->rows, width);
    t[STATS] = graph_activation(graph, p->x->rows, 2);
    const struct node_params params = {
        .eps = p->eps,
        .dropout = dropout_make(graph, p->f ? p->dropout : 0.0f),
        .keeps_stream = p->keeps_stream,
        .chunks = graph_dim_per(graph, p->x->rows, NORM_CHUNK_ROWS),
    };
    graph_add_node(graph, &residual_norm_class, t, &params, sizeof params);
    if (graph->status != VKS_OK)
        return;
    t[S]->needs_grad = p->x->needs_grad || (p->f && p->f->needs_grad);
    t[Y]->needs_grad = t[S]->needs_grad || p->gamma->needs_grad || p->beta->needs_grad;
    *s = t[S];
    *y = t[Y];
}
