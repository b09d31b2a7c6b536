#include "graph/graph.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t INNER_DROPOUT = 1u << 31;

enum vks_status graph_create(struct vks_device *device, struct graph **result) {
    struct graph *graph = memory_calloc(1, sizeof *graph);
    if (!graph)
        return VKS_ERR_OOM;
    graph->device = device;
    *result = graph;
    return VKS_OK;
}

void graph_destroy(struct graph **graph_ref) {
    struct graph *graph = *graph_ref;
    if (!graph)
        return;
    arena_finish(&graph->arena);
    free(graph->tensors);
    free(graph->nodes);
    free(graph);
    *graph_ref = NULL;
}

void graph_fail(struct graph *graph, enum vks_status status, const char *fmt, ...) {
    if (graph->status != VKS_OK)
        return;
    graph->status = status;
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (!graph->is_trial)
        log_error(graph->device->log, "%s", text);
}

bool graph_check_alike(struct graph *graph, const char *name, const struct tensor *x,
                       const struct tensor *f) {
    bool are_alike = x->cols % 4 == 0 && x->cols == f->cols && x->rows.idx == f->rows.idx;
    if (!are_alike)
        graph_fail(graph, VKS_ERR_SHAPE,
                   "%s: x [N, %u], f [M, %u]; their shapes must be the same, the width a multiple "
                   "of 4",
                   name, x->cols, f->cols);
    return are_alike;
}

static struct dim add_dim(struct graph *graph, struct dim_rule rule) {
    if (graph->num_dims == HEADER_MAX_DIMS) {
        graph_fail(graph, VKS_ERR_UNSUPPORTED,
                   "the program needs more than %d dimensions, as on large batches; use a smaller "
                   "batch",
                   HEADER_MAX_DIMS);
        return (struct dim){0, rule.capacity};
    }
    graph->dims[graph->num_dims] = rule;
    return (struct dim){graph->num_dims++, rule.capacity};
}

struct dim graph_dim(struct graph *graph, uint32_t capacity) {
    return add_dim(graph, (struct dim_rule){.kind = DIM_SET, .capacity = capacity});
}

struct dim graph_dim_fixed(struct graph *graph, uint32_t value) {
    for (uint32_t i = 0; i < graph->num_dims; i++)
        if (graph->dims[i].kind == DIM_FIXED && graph->dims[i].value == value)
            return (struct dim){i, value};
    return add_dim(graph, (struct dim_rule){.kind = DIM_FIXED, .value = value, .capacity = value});
}

struct dim graph_dim_rest(struct graph *graph, struct dim base, uint32_t first, uint32_t capacity) {
    if (first == 0 && capacity >= base.capacity)
        return base;
    for (uint32_t i = 0; i < graph->num_dims; i++)
        if (graph->dims[i].kind == DIM_REST && graph->dims[i].base == base.idx &&
            graph->dims[i].value == first && graph->dims[i].capacity == capacity)
            return (struct dim){i, capacity};
    return add_dim(graph,
                   (struct dim_rule){
                       .kind = DIM_REST, .value = first, .base = base.idx, .capacity = capacity});
}

struct dim graph_dim_per(struct graph *graph, struct dim base, uint32_t divisor) {
    for (uint32_t i = 0; i < graph->num_dims; i++)
        if (graph->dims[i].kind == DIM_PER && graph->dims[i].base == base.idx &&
            graph->dims[i].value == divisor)
            return (struct dim){i, graph->dims[i].capacity};
    return add_dim(graph, (struct dim_rule){.kind = DIM_PER,
                                            .value = divisor,
                                            .base = base.idx,
                                            .capacity = div_up_u32(base.capacity, divisor)});
}

static bool grow(void **list, size_t num, size_t *capacity, size_t item_bytes) {
    if (num < *capacity)
        return true;
    size_t grown = *capacity ? 2 * *capacity : 256;
    void *bigger = memory_realloc(*list, grown * item_bytes);
    if (!bigger)
        return false;
    *list = bigger;
    *capacity = grown;
    return true;
}

uint64_t tensor_element_bytes(const struct tensor *tensor) {
    return element_bytes(tensor->element);
}

static struct tensor *add_tensor(struct graph *graph, enum tensor_kind kind, uint32_t element,
                                 struct dim rows, uint32_t cols) {
    if (graph->status != VKS_OK)
        return NULL;
    struct tensor *tensor = ARENA_NEW(&graph->arena, struct tensor, 1);
    if (!tensor || !grow((void **)&graph->tensors, graph->num_tensors, &graph->tensors_capacity,
                         sizeof *graph->tensors)) {
        graph_fail(graph, VKS_ERR_OOM, "out of memory while a program was built");
        return NULL;
    }
    *tensor = (struct tensor){
        .kind = kind,
        .element = element,
        .rows = rows,
        .cols = cols,
        .stride = row_stride(graph->device, cols),
        .first_node = UINT32_MAX,
    };
    tensor->bytes = (uint64_t)rows.capacity * tensor->stride * tensor_element_bytes(tensor);
    tensor->bytes = tensor->bytes ? tensor->bytes : 4;
    uint64_t limit = buffer_max_bytes(graph->device);
    if (tensor->bytes > limit) {
        graph_fail(graph, VKS_ERR_UNSUPPORTED,
                   "a tensor of %u x %u takes %.1f MiB, more than the %.1f MiB that a matrix may "
                   "have on %s; use a smaller batch",
                   rows.capacity, cols, (double)tensor->bytes / 0x1p20, (double)limit / 0x1p20,
                   graph->device->info.name);
        return NULL;
    }
    graph->tensors[graph->num_tensors++] = tensor;
    return tensor;
}

struct tensor *graph_activation(struct graph *graph, struct dim rows, uint32_t cols) {
    return add_tensor(graph, TENSOR_ACTIVATION, ELEMENT_F32, rows, cols);
}

struct tensor *graph_activation_as(struct graph *graph, uint32_t element, struct dim rows,
                                   uint32_t cols) {
    CHECK(element == ELEMENT_F32 || cols > 2);
    return add_tensor(graph, TENSOR_ACTIVATION, element, rows, cols);
}

struct tensor *graph_hidden(struct graph *graph, struct dim rows, uint32_t cols) {
    return graph_activation_as(graph, graph->element, rows, cols);
}

struct tensor *graph_input(struct graph *graph, struct dim rows, uint32_t cols) {
    return add_tensor(graph, TENSOR_INPUT, ELEMENT_F32, rows, cols);
}

struct tensor *graph_output(struct graph *graph, struct dim rows, uint32_t cols) {
    return add_tensor(graph, TENSOR_OUTPUT, ELEMENT_F32, rows, cols);
}

struct tensor *graph_stored(struct graph *graph, struct vk_range range, struct dim rows,
                            uint32_t cols) {
    return graph_stored_as(graph, ELEMENT_F32, range, rows, cols);
}

struct tensor *graph_stored_as(struct graph *graph, uint32_t element, struct vk_range range,
                               struct dim rows, uint32_t cols) {
    struct tensor *tensor = add_tensor(graph, TENSOR_STORED, element, rows, cols);
    if (tensor) {
        CHECK(range.bytes >= tensor->bytes);
        tensor->stored = (struct vk_range){range.buffer, range.offset, tensor->bytes};
    }
    return tensor;
}

struct tensor *graph_parameter(struct graph *graph, const struct parameter_store *store,
                               const struct parameter *parameter) {
    struct dim rows = graph_dim_fixed(graph, parameter->rows);
    struct tensor *tensor =
        graph_stored_as(graph, store->element, parameter_range(store, PART_VALUE, parameter), rows,
                        parameter->cols);
    if (tensor && parameter_store_has(store, PART_GRADIENT)) {
        tensor->needs_grad = tensor->is_parameter = true;
        tensor->grad = graph_stored(graph, parameter_range(store, PART_GRADIENT, parameter), rows,
                                    parameter->cols);
    }
    return tensor;
}

struct node *graph_add_node(struct graph *graph, const struct op_class *op,
                            struct tensor *const tensors[NODE_MAX_TENSORS], const void *params,
                            size_t params_bytes) {
    if (graph->status != VKS_OK)
        return NULL;
    struct node *node = ARENA_NEW(&graph->arena, struct node, 1);
    void *copy = arena_alloc(&graph->arena, 1, params_bytes);
    if (!node || !copy ||
        !grow((void **)&graph->nodes, graph->num_nodes, &graph->nodes_capacity,
              sizeof *graph->nodes)) {
        graph_fail(graph, VKS_ERR_OOM, "out of memory while a program was built");
        return NULL;
    }
    if (params_bytes)
        memcpy(copy, params, params_bytes);
    node->op = op;
    node->params = copy;
    uint32_t idx = (uint32_t)graph->num_nodes;
    for (size_t i = 0; i < NODE_MAX_TENSORS; i++) {
        struct tensor *tensor = tensors[i];
        node->tensors[i] = tensor;
        if (!tensor)
            continue;
        if (tensor->first_node == UINT32_MAX)
            tensor->first_node = idx;
        tensor->last_node = idx;
    }
    graph->nodes[graph->num_nodes++] = node;
    return node;
}

uint32_t graph_window_rows(const struct graph *graph, const struct tensor *tensor,
                           uint32_t multiple) {
    uint64_t row_bytes = tensor->stride * tensor_element_bytes(tensor);
    multiple *= tensor->element == ELEMENT_F32 ? 1 : 2;
    if (tensor->bytes <= graph->device->info.max_binding_bytes)
        return max_u32(tensor->rows.capacity, 1);
    CHECK(multiple * row_bytes % BUFFER_ALIGNMENT == 0);
    uint64_t rows = graph->device->info.max_binding_bytes / row_bytes / multiple * multiple;
    return rows ? (uint32_t)rows : multiple;
}

uint32_t graph_next_dropout(struct graph *graph) {
    return graph->num_dropouts++;
}

uint32_t graph_next_inner_dropouts(struct graph *graph, uint32_t num) {
    uint32_t first = graph->num_inner_dropouts;
    graph->num_inner_dropouts += num;
    return INNER_DROPOUT | first;
}

void graph_backward(struct graph *graph) {
    for (size_t i = graph->num_nodes; i-- > 0 && graph->status == VKS_OK;)
        if (graph->nodes[i]->op->backward)
            graph->nodes[i]->op->backward(graph, graph->nodes[i]);
}

struct tensor *graph_gradient(const struct tensor *tensor) {
    if (tensor && tensor->master)
        tensor = tensor->master;
    return tensor && tensor->num_grad_writers ? tensor->grad : NULL;
}

struct tensor *graph_write_gradient(struct graph *graph, struct tensor *tensor,
                                    uint32_t *accumulate) {
    if (tensor && tensor->master)
        tensor = tensor->master;
    if (!tensor || !tensor->needs_grad || graph->status != VKS_OK)
        return NULL;
    if (!tensor->grad)
        tensor->grad = graph_activation(graph, tensor->rows, tensor->cols);
    bool first = tensor->num_grad_writers++ == 0;
    if (!first)
        *accumulate = ACCUMULATE_YES;
    else
        *accumulate = tensor->is_parameter ? ACCUMULATE_MICRO : ACCUMULATE_NO;
    return tensor->grad;
}

void graph_share_gradient(struct tensor *tensor, struct tensor *gradient) {
    if (tensor && tensor->master)
        tensor = tensor->master;
    if (!tensor || !tensor->needs_grad)
        return;
    CHECK(!tensor->grad && !tensor->is_parameter);
    tensor->grad = gradient;
    tensor->num_grad_writers = 1;
}
