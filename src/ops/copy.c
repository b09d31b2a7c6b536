#include "ops/copy.h"

#include "base/check.h"
#include "graph/program.h"

enum { FROM, TO };

static enum vks_status record(struct recorder *recorder, const struct node *node) {
    return recorder_copy(recorder, node->tensors[FROM], node->tensors[TO]);
}

static const struct op_class copy_class = {"copy", record, NULL};

void op_copy_to(struct graph *graph, struct tensor *x, struct tensor *to) {
    if (graph->status != VKS_OK)
        return;
    CHECK(x->rows.capacity == to->rows.capacity && x->cols == to->cols);
    graph_add_node(graph, &copy_class, (struct tensor *[NODE_MAX_TENSORS]){[FROM] = x, [TO] = to},
                   NULL, 0);
}

struct tensor *op_copy_out(struct graph *graph, struct tensor *x) {
    if (graph->status != VKS_OK)
        return NULL;
    struct tensor *out = graph_output(graph, x->rows, x->cols);
    op_copy_to(graph, x, out);
    return out;
}
