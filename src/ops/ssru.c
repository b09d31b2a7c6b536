#include "ops/ssru.h"

#include "graph/program.h"
#include "ssru_interface.h"

enum { X, F, SEQUENCES, C, Y, DY, DX, DF };

struct gradient_params {
    uint32_t accumulate_x, accumulate_f;
};

static struct ssru_push make_push(const struct tensor *x, struct dim sequences) {
    return (struct ssru_push){
        .sequences_dim = sequences.idx, .quads = x->cols / 4, .stride = x->stride / 4};
}

static enum vks_status record(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct ssru_push push = make_push(t[X], t[SEQUENCES]->rows);
    return recorder_dispatch(recorder, &(struct op_dispatch){
                                           .key = {.shader = "ssru"},
                                           .binds = {[1] = {t[X], ACCESS_READ},
                                                     [2] = {t[F], ACCESS_READ},
                                                     [3] = {t[SEQUENCES], ACCESS_READ},
                                                     [4] = {t[C], ACCESS_WRITE},
                                                     [5] = {t[Y], ACCESS_WRITE}},
                                           .push = &push,
                                           .push_bytes = sizeof push,
                                           .groups = {{t[SEQUENCES]->rows, 1, 0},
                                                      groups_for_lanes(recorder, push.quads)},
                                       });
}

static enum vks_status record_gradient(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct gradient_params *params = node->params;
    const struct ssru_push push = make_push(t[X], t[SEQUENCES]->rows);
    return recorder_dispatch(
        recorder,
        &(struct op_dispatch){
            .key = {"ssru_gradient", {params->accumulate_x, params->accumulate_f}, 2},
            .binds = {[1] = {t[X], ACCESS_READ},
                      [2] = {t[F], ACCESS_READ},
                      [3] = {t[SEQUENCES], ACCESS_READ},
                      [4] = {t[C], ACCESS_READ},
                      [5] = {t[DY], ACCESS_READ},
                      [6] = {t[DX], ACCESS_UPDATE},
                      [7] = {t[DF], ACCESS_UPDATE}},
            .push = &push,
            .push_bytes = sizeof push,
            .groups = {{t[SEQUENCES]->rows, 1, 0}, groups_for_lanes(recorder, push.quads)},
        });
}

static const struct op_class gradient_class = {"ssru gradient", record_gradient, NULL};

static void backward(struct graph *graph, const struct node *node) {
    struct tensor *const *t = node->tensors;
    struct gradient_params params = {0};
    struct tensor *g[NODE_MAX_TENSORS] = {[X] = t[X],
                                          [F] = t[F],
                                          [SEQUENCES] = t[SEQUENCES],
                                          [C] = t[C],
                                          [DY] = graph_gradient(t[Y])};
    if (!g[DY])
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

static const struct op_class ssru_class = {"ssru", record, backward};

struct tensor *op_ssru(struct graph *graph, struct tensor *x, struct tensor *f,
                       struct tensor *sequences) {
    if (graph->status != VKS_OK || !graph_check_alike(graph, "ssru", x, f))
        return NULL;
    struct tensor *t[NODE_MAX_TENSORS] = {[X] = x, [F] = f, [SEQUENCES] = sequences};
    t[C] = graph_activation(graph, x->rows, x->cols);
    t[Y] = graph_activation(graph, x->rows, x->cols);
    if (t[Y])
        t[Y]->needs_grad = x->needs_grad || f->needs_grad;
    graph_add_node(graph, &ssru_class, t, NULL, 0);
    return t[Y];
}

enum { STEP_X, STEP_F, STEP_RANGES, STEP_CACHE_ROWS, STEP_PLACES, STEP_CACHE, STEP_Y };

static enum vks_status record_step(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    struct ssru_push push = make_push(t[STEP_X], t[STEP_X]->rows);
    push.cache_stride = t[STEP_CACHE]->stride / 4;
    push.rows_stride = t[STEP_CACHE_ROWS]->stride;
    return recorder_dispatch(recorder, &(struct op_dispatch){
                                           .key = {.shader = "ssru_step"},
                                           .binds = {[1] = {t[STEP_X], ACCESS_READ},
                                                     [2] = {t[STEP_F], ACCESS_READ},
                                                     [3] = {t[STEP_RANGES], ACCESS_READ},
                                                     [4] = {t[STEP_CACHE_ROWS], ACCESS_READ},
                                                     [5] = {t[STEP_PLACES], ACCESS_READ},
                                                     [6] = {t[STEP_CACHE], ACCESS_UPDATE},
                                                     [7] = {t[STEP_Y], ACCESS_WRITE}},
                                           .push = &push,
                                           .push_bytes = sizeof push,
                                           .groups = {{t[STEP_X]->rows, 1, 0}},
                                           .items = t[STEP_X]->rows,
                                           .gathered = 1u << 4 | 1u << 6,
                                       });
}

static const struct op_class step_class = {"ssru step", record_step, NULL};

struct tensor *op_ssru_step(struct graph *graph, const struct ssru_step_params *p) {
    if (graph->status != VKS_OK || !graph_check_alike(graph, "ssru", p->x, p->f))
        return NULL;
    struct tensor *t[NODE_MAX_TENSORS] = {
        [STEP_X] = p->x,           [STEP_F] = p->f,         [STEP_RANGES] = p->ranges,
        [STEP_PLACES] = p->places, [STEP_CACHE] = p->cache, [STEP_CACHE_ROWS] = p->cache_rows};
    t[STEP_Y] = graph_activation(graph, p->x->rows, p->x->cols);
    graph_add_node(graph, &step_class, t, NULL, 0);
    return t[STEP_Y];
}
