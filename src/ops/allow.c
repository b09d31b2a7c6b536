#include "ops/allow.h"

#include "base/check.h"
#include "graph/program.h"

enum { LOGITS, ROWS, SENTENCES, WORDS };

struct node_params {
    struct dim rows; // of a window on the logits
    struct allow_push push;
};

static enum vks_status record(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    return recorder_dispatch(
        recorder, &(struct op_dispatch){
                      .key = {.shader = "allow"},
                      .binds = {[1] = {t[LOGITS], ACCESS_UPDATE},
                                [2] = {t[ROWS], ACCESS_READ},
                                [3] = {t[SENTENCES], ACCESS_READ},
                                [4] = {t[WORDS], ACCESS_READ}},
                      .windows = {[1] = {params->push.first_row, params->rows.capacity, 0}},
                      .push = &params->push,
                      .push_bytes = sizeof params->push,
                      .groups = {{params->rows, 1, 0}},
                  });
}

static const struct op_class allow_class = {"allow", record, NULL};

void op_allow(struct graph *graph, struct tensor *logits, const struct beam_tables *tables,
              struct tensor *words) {
    if (graph->status != VKS_OK)
        return;
    struct tensor *t[NODE_MAX_TENSORS] = {[LOGITS] = logits,
                                          [ROWS] = tables->rows,
                                          [SENTENCES] = tables->of_sentences,
                                          [WORDS] = words};
    uint32_t num_rows = logits->rows.capacity;
    uint32_t step = graph_window_rows(graph, logits, WINDOW_ROWS);
    for (uint32_t first = 0; first < num_rows; first += step) {
        const struct node_params params = {
            graph_dim_rest(graph, logits->rows, first, min_u32(step, num_rows - first)),
            {.first_row = first,
             .vocab = logits->cols,
             .stride = logits->stride,
             .section = tables->section}};
        graph_add_node(graph, &allow_class, t, &params, sizeof params);
    }
}
