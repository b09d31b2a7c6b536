#include "ops/conversion.h"

#include "base/check.h"
#include "base/log.h"
#include "convert_interface.h"
#include "graph/program.h"

enum { FROM, TO };

static enum vks_status record(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct graph *graph = recorder_graph(recorder);
    const uint32_t num_rows = t[FROM]->rows.capacity;
    // A window of a multiple of that many rows begins where either can be bound.
    const uint32_t step = min_u32(graph_window_rows(graph, t[FROM], 2 * WINDOW_ROWS),
                                  graph_window_rows(graph, t[TO], 2 * WINDOW_ROWS));
    for (uint32_t first = 0; first < num_rows; first += step) {
        const struct op_window window = {.first_row = first,
                                         .num_rows = min_u32(step, num_rows - first)};
        const struct convert_push push = {.rows_dim = t[FROM]->rows.idx,
                                          .first_row = first,
                                          .num_rows = window.num_rows,
                                          .quads = div_up_u32(t[FROM]->cols, 4),
                                          .stride = t[FROM]->stride / 4};
        TRY(recorder_dispatch(
            recorder,
            &(struct op_dispatch){
                .key = {.shader = "convert"},
                .binds =
                    {[CONVERT_FROM] = {t[FROM], ACCESS_READ}, [CONVERT_TO] = {t[TO], ACCESS_WRITE}},
                .windows = {[CONVERT_FROM] = window, [CONVERT_TO] = window},
                .push = &push,
                .push_bytes = sizeof push,
                .groups = {{t[FROM]->rows, 1, 0}},
            }));
    }
    return VKS_OK;
}

static const struct op_class convert_class = {"convert", record, NULL};

void op_convert_to(struct graph *graph, struct tensor *x, struct tensor *to) {
    if (graph->status != VKS_OK)
        return;
    CHECK(x->rows.capacity == to->rows.capacity && x->cols == to->cols && x->stride == to->stride);
    graph_add_node(graph, &convert_class,
                   (struct tensor *[NODE_MAX_TENSORS]){[FROM] = x, [TO] = to}, NULL, 0);
}

struct tensor *op_convert(struct graph *graph, struct tensor *x, uint32_t element) {
    if (graph->status != VKS_OK || x->element == element)
        return x;
    struct tensor *y = graph_activation_as(graph, element, x->rows, x->cols);
    if (!y)
        return NULL;
    y->master = x->master ? x->master : x;
    y->needs_grad = y->master->needs_grad;
    op_convert_to(graph, x, y);
    return y;
}
