#include "ops/decoding.h"

#include "base/check.h"
#include "base/log.h"
#include "graph/program.h"
#include "scatter_rows_interface.h"

enum { FROM, PLACES, TO };
enum { LOGITS, BEST };

struct scatter_params {
    uint32_t from_col;
};

static enum vks_status record_scatter(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct scatter_params *params = node->params;
    const struct scatter_rows_push push = {
        .rows_dim = t[FROM]->rows.idx,
        .quads = t[TO]->cols / 4,
        .from_stride = t[FROM]->stride / 4,
        .from_offset = params->from_col / 4,
        .to_stride = t[TO]->stride / 4,
        .num_places = t[TO]->rows.capacity,
    };
    return recorder_dispatch(recorder, &(struct op_dispatch){
                                           .key = {.shader = "scatter_rows"},
                                           .binds = {[1] = {t[FROM], ACCESS_READ},
                                                     [2] = {t[PLACES], ACCESS_READ},
                                                     [3] = {t[TO], ACCESS_WRITE}},
                                           .push = &push,
                                           .push_bytes = sizeof push,
                                           .groups = {{t[FROM]->rows, 1, 0}},
                                           .items = t[FROM]->rows,
                                           .gathered = 1u << 3,
                                       });
}

static const struct op_class scatter_class = {"scatter rows", record_scatter, NULL};

void op_scatter_rows(struct graph *graph, struct tensor *from, uint32_t from_col,
                     struct tensor *places, struct tensor *to) {
    if (graph->status != VKS_OK)
        return;
    if (from_col % 4 != 0 || to->cols % 4 != 0 || from_col + to->cols > from->cols) {
        graph_fail(graph, VKS_ERR_SHAPE, "scatter rows: columns %u .. %u of [R, %u]", from_col,
                   from_col + to->cols, from->cols);
        return;
    }
    const struct scatter_params params = {from_col};
    graph_add_node(graph, &scatter_class,
                   (struct tensor *[NODE_MAX_TENSORS]){[FROM] = from, [PLACES] = places, [TO] = to},
                   &params, sizeof params);
}

struct top_k_params {
    struct dim rows; // of a window on the logits
    uint32_t first_row, pad, k;
};

uint32_t top_k_num_stretches(uint32_t vocab) {
    return div_up_u32(vocab, TOP_K_STRETCH);
}

static enum vks_status record_top_k(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct top_k_params *params = node->params;
    const struct top_k_push push = {
        .first_row = params->first_row,
        .vocab = t[LOGITS]->cols,
        .stride = t[LOGITS]->stride / 4,
        .pad = params->pad,
        .k = params->k,
        .out_stride = t[BEST]->stride,
    };
    return recorder_dispatch(
        recorder,
        &(struct op_dispatch){
            .key = {.shader = "top_k"},
            .binds = {[1] = {t[LOGITS], ACCESS_READ}, [2] = {t[BEST], ACCESS_WRITE}},
            .windows = {[1] = {params->first_row, params->rows.capacity, 0}},
            .push = &push,
            .push_bytes = sizeof push,
            .groups = {{params->rows, 1, 0}, {.fixed = top_k_num_stretches(t[LOGITS]->cols)}},
        });
}

static const struct op_class top_k_class = {"top k", record_top_k, NULL};

struct tensor *op_top_k(struct graph *graph, struct tensor *logits, uint32_t pad, uint32_t k) {
    if (graph->status != VKS_OK)
        return NULL;
    uint32_t cols = top_k_num_stretches(logits->cols) * 2 * k;
    struct tensor *best = graph_activation(graph, logits->rows, cols);
    uint32_t num_rows = logits->rows.capacity;
    uint32_t step = graph_window_rows(graph, logits, WINDOW_ROWS);
    for (uint32_t first = 0; first < num_rows && best; first += step) {
        const struct top_k_params params = {
            graph_dim_rest(graph, logits->rows, first, min_u32(step, num_rows - first)), first, pad,
            k};
        graph_add_node(graph, &top_k_class,
                       (struct tensor *[NODE_MAX_TENSORS]){[LOGITS] = logits, [BEST] = best},
                       &params, sizeof params);
    }
    return best;
}
