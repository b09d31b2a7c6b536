#include "ops/log_probs.h"

#include "base/check.h"
#include "combine_interface.h"
#include "graph/program.h"
#include "log_sum_exp_interface.h"

enum { LOGITS, LOG_SUMS, SUM };

struct node_params {
    struct dim rows; // of a window on the logits
    uint32_t first_row, pad;
    uint32_t adds;
    float weight;
};

// A node for each window on the logits.
static void add_nodes(struct graph *graph, const struct op_class *op,
                      struct tensor *const tensors[NODE_MAX_TENSORS], struct node_params params) {
    const struct tensor *logits = tensors[LOGITS];
    uint32_t num_rows = logits->rows.capacity;
    uint32_t step = graph_window_rows(graph, logits, WINDOW_ROWS);
    for (uint32_t first = 0; first < num_rows; first += step) {
        params.rows = graph_dim_rest(graph, logits->rows, first, min_u32(step, num_rows - first));
        params.first_row = first;
        graph_add_node(graph, op, tensors, &params, sizeof params);
    }
}

static enum vks_status record_log_sum_exp(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    const struct log_sum_exp_push push = {
        .first_row = params->first_row,
        .vocab = t[LOGITS]->cols,
        .stride = t[LOGITS]->stride / 4,
        .pad = params->pad,
    };
    return recorder_dispatch(
        recorder, &(struct op_dispatch){
                      .key = {.shader = "log_sum_exp"},
                      .binds = {[1] = {t[LOGITS], ACCESS_READ}, [2] = {t[LOG_SUMS], ACCESS_WRITE}},
                      .windows = {[1] = {params->first_row, params->rows.capacity, 0}},
                      .push = &push,
                      .push_bytes = sizeof push,
                      .groups = {{params->rows, 1, 0}},
                  });
}

static const struct op_class log_sum_exp_class = {"log sum exp", record_log_sum_exp, NULL};

struct tensor *op_log_sum_exp(struct graph *graph, struct tensor *logits, uint32_t pad) {
    if (graph->status != VKS_OK)
        return NULL;
    struct tensor *log_sums = graph_activation(graph, logits->rows, 1);
    add_nodes(graph, &log_sum_exp_class,
              (struct tensor *[NODE_MAX_TENSORS]){[LOGITS] = logits, [LOG_SUMS] = log_sums},
              (struct node_params){.pad = pad});
    return log_sums;
}

static enum vks_status record_combine(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    const struct combine_push push = {params->first_row, t[LOGITS]->stride / 4, params->weight};
    const struct op_window window = {params->first_row, params->rows.capacity, 0};
    return recorder_dispatch(
        recorder, &(struct op_dispatch){
                      .key = {"combine", {params->adds}, 1},
                      .binds = {[1] = {t[LOGITS], ACCESS_READ},
                                [2] = {t[LOG_SUMS], ACCESS_READ},
                                [3] = {t[SUM], params->adds ? ACCESS_UPDATE : ACCESS_WRITE}},
                      .windows = {[1] = window, [3] = window},
                      .push = &push,
                      .push_bytes = sizeof push,
                      .groups = {{params->rows, 1, 0}},
                  });
}

static const struct op_class combine_class = {"combine", record_combine, NULL};

struct tensor *op_combine(struct graph *graph, struct tensor *logits, struct tensor *log_sums,
                          float weight, struct tensor *sum) {
    if (graph->status != VKS_OK)
        return NULL;
    struct tensor *to = sum ? sum : graph_activation(graph, logits->rows, logits->cols);
    CHECK(!to || (to->cols == logits->cols && to->rows.idx == logits->rows.idx));
    add_nodes(
        graph, &combine_class,
        (struct tensor *[NODE_MAX_TENSORS]){[LOGITS] = logits, [LOG_SUMS] = log_sums, [SUM] = to},
        (struct node_params){.adds = sum != NULL, .weight = weight});
    return to;
}
