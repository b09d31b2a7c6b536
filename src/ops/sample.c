#include "ops/sample.h"

#include "base/check.h"
#include "graph/program.h"

enum { LOGITS, DRAWN, ROWS, SENTENCES };

struct node_params {
    struct dim rows; // of a window on the logits
    uint32_t from;
    struct sample_push push;
};

static enum vks_status record(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    return recorder_dispatch(
        recorder, &(struct op_dispatch){
                      .key = {"sample", {params->from}, 1},
                      .binds = {[1] = {t[LOGITS], ACCESS_READ},
                                [2] = {t[DRAWN], ACCESS_WRITE},
                                [3] = {t[ROWS], ACCESS_READ},
                                [4] = {t[SENTENCES], ACCESS_READ}},
                      .windows = {[1] = {params->push.first_row, params->rows.capacity, 0}},
                      .push = &params->push,
                      .push_bytes = sizeof params->push,
                      .groups = {{params->rows, 1, 0}},
                  });
}

static const struct op_class sample_class = {"sample", record, NULL};

struct tensor *op_sample(struct graph *graph, const struct sample_params *p) {
    if (graph->status != VKS_OK)
        return NULL;
    struct tensor *drawn = graph_activation(graph, p->logits->rows, 2);
    struct tensor *t[NODE_MAX_TENSORS] = {[LOGITS] = p->logits,
                                          [DRAWN] = drawn,
                                          [ROWS] = p->tables->rows,
                                          [SENTENCES] = p->tables->of_sentences};
    uint32_t num_rows = p->logits->rows.capacity;
    uint32_t step = graph_window_rows(graph, p->logits, WINDOW_ROWS);
    for (uint32_t first = 0; first < num_rows && drawn; first += step) {
        const struct node_params params = {
            graph_dim_rest(graph, p->logits->rows, first, min_u32(step, num_rows - first)),
            p->from,
            {.first_row = first,
             .vocab = p->logits->cols,
             .stride = p->logits->stride / 4,
             .pad = p->pad,
             .out_stride = drawn->stride,
             .section = p->tables->section,
             .seed = p->seed,
             .k = p->k,
             .mass = p->mass,
             .temperature = p->temperature}};
        graph_add_node(graph, &sample_class, t, &params, sizeof params);
    }
    return drawn;
}
