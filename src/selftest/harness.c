#include "selftest/harness.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "ops/conversion.h"
#include "scatter_rows_interface.h"

#include <stdlib.h>
#include <string.h>

// Copies rows into the graph and out of it, and gradients the other way.
enum { FROM, PLACES, TO, GRADIENT };

// A column is copied whole, as one long row.
static enum vks_status record_copy(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    bool column = t[FROM]->cols == 1;
    const struct dim rows = t[PLACES]->rows;
    const struct scatter_rows_push push = {
        .rows_dim = rows.idx,
        .quads = column ? t[FROM]->rows.capacity / 4 : div_up_u32(t[FROM]->cols, 4),
        .from_stride = column ? 0 : t[FROM]->stride / 4,
        .to_stride = column ? 0 : t[TO]->stride / 4,
        .num_places = rows.capacity,
    };
    CHECK(!column || t[FROM]->rows.capacity % 4 == 0);
    return recorder_dispatch(recorder, &(struct op_dispatch){
                                           .key = {.shader = "scatter_rows"},
                                           .binds = {[1] = {t[FROM], ACCESS_READ},
                                                     [2] = {t[PLACES], ACCESS_READ},
                                                     [3] = {t[TO], ACCESS_WRITE}},
                                           .push = &push,
                                           .push_bytes = sizeof push,
                                           .groups = {{rows, 1, 0}},
                                       });
}

static const struct op_class copy_class = {"copy", record_copy, NULL};

static void leaf_backward(struct graph *graph, const struct node *node) {
    struct tensor *gradient = graph_gradient(node->tensors[TO]);
    if (!gradient)
        return;
    struct tensor *t[NODE_MAX_TENSORS] = {
        [FROM] = gradient, [PLACES] = node->tensors[PLACES], [TO] = node->tensors[GRADIENT]};
    graph_add_node(graph, &copy_class, t, NULL, 0);
}

static void result_backward(struct graph *graph, const struct node *node) {
    uint32_t accumulate = ACCUMULATE_YES;
    struct tensor *t[NODE_MAX_TENSORS] = {
        [FROM] = node->tensors[GRADIENT],
        [PLACES] = node->tensors[PLACES],
        [TO] = graph_write_gradient(graph, node->tensors[FROM], &accumulate)};
    CHECK(graph->status != VKS_OK || accumulate == ACCUMULATE_NO); // nothing else reads y
    graph_add_node(graph, &copy_class, t, NULL, 0);
}

static const struct op_class leaf_class = {"leaf", record_copy, leaf_backward};
static const struct op_class result_class = {"result", record_copy, result_backward};

static void add_item(struct harness *h, struct harness_item item) {
    CHECK(h->num_items < HARNESS_MAX_ITEMS);
    h->items[h->num_items++] = item;
}

struct dim harness_dim(struct harness *h, uint32_t capacity, uint32_t value) {
    struct dim dim = graph_dim(h->graph, capacity);
    add_item(h, (struct harness_item){.kind = ITEM_DIM, .dim = dim, .num = value});
    return dim;
}

struct tensor *harness_uints(struct harness *h, struct dim dim, uint32_t cols,
                             const uint32_t *values, uint32_t num) {
    struct tensor *tensor = graph_input(h->graph, dim, cols);
    CHECK(num <= dim.capacity);
    add_item(h, (struct harness_item){
                    .kind = ITEM_UINTS, .tensor = tensor, .uints = values, .num = num});
    return tensor;
}

static struct tensor *identity(struct harness *h, struct dim dim) {
    struct tensor *tensor = graph_input(h->graph, dim, 1);
    add_item(h,
             (struct harness_item){.kind = ITEM_IDENTITY, .tensor = tensor, .num = dim.capacity});
    return tensor;
}

static struct tensor *add_input(struct harness *h, struct dim dim, const struct matrix *value) {
    struct tensor *tensor = graph_input(h->graph, dim, value->cols);
    CHECK(value->rows <= dim.capacity);
    add_item(h, (struct harness_item){
                    .kind = ITEM_INPUT, .tensor = tensor, .value = value, .num = value->rows});
    return tensor;
}

static struct tensor *add_output(struct harness *h, struct dim dim, uint32_t cols,
                                 struct matrix *result) {
    struct tensor *tensor = graph_output(h->graph, dim, cols);
    add_item(h, (struct harness_item){.kind = ITEM_RESULT,
                                      .tensor = tensor,
                                      .result = result,
                                      .num = result ? result->rows : 0});
    return tensor;
}

struct tensor *harness_leaf(struct harness *h, struct dim dim, const struct matrix *value,
                            struct matrix *gradient) {
    struct tensor *t[NODE_MAX_TENSORS] = {
        [FROM] = add_input(h, dim, value),
        [PLACES] = identity(h, dim),
        [TO] = graph_activation(h->graph, dim, value->cols),
        [GRADIENT] = add_output(h, dim, value->cols, gradient),
    };
    if (h->graph->status != VKS_OK)
        return NULL;
    t[TO]->needs_grad = gradient != NULL;
    graph_add_node(h->graph, &leaf_class, t, NULL, 0);
    return t[TO];
}

void harness_result(struct harness *h, struct tensor *y, struct matrix *result,
                    const struct matrix *r) {
    if (h->graph->status != VKS_OK)
        return;
    struct dim one = graph_dim_fixed(h->graph, 1);
    struct tensor *t[NODE_MAX_TENSORS] = {
        [FROM] = y,
        [PLACES] = identity(h, y->cols == 1 ? one : y->rows),
        [TO] = add_output(h, y->rows, y->cols, result),
        [GRADIENT] = r ? add_input(h, y->rows, r) : NULL,
    };
    graph_add_node(h->graph, r ? &result_class : &copy_class, t, NULL, 0);
}

struct tensor *harness_parameter(struct harness *h, const struct matrix *value,
                                 struct matrix *gradient) {
    struct parameter parameter;
    enum vks_status status =
        parameter_store_reserve(&h->store, value->rows, value->cols, &parameter);
    if (status != VKS_OK) {
        graph_fail(h->graph, status, "a parameter of %u x %u could not be laid out", value->rows,
                   value->cols);
        return NULL;
    }
    struct tensor *tensor = graph_parameter(h->graph, &h->store, &parameter);
    if (tensor && !gradient)
        tensor->needs_grad = false;
    add_item(h, (struct harness_item){.kind = ITEM_PARAMETER,
                                      .tensor = tensor,
                                      .parameter = parameter,
                                      .value = value,
                                      .result = gradient,
                                      .num = value->rows});
    return tensor;
}

struct tensor *harness_hidden(struct harness *h, struct dim dim, const struct matrix *value,
                              struct matrix *gradient) {
    return op_convert(h->graph, harness_leaf(h, dim, value, gradient), h->element);
}

struct tensor *harness_weight(struct harness *h, const struct matrix *value,
                              struct matrix *gradient) {
    return op_convert(h->graph, harness_parameter(h, value, gradient), h->element);
}

void harness_words(struct harness *h, struct tensor *output, uint32_t *words, uint32_t num) {
    add_item(
        h, (struct harness_item){.kind = ITEM_WORDS, .tensor = output, .words = words, .num = num});
}

static void put_matrix(float *to, uint32_t stride, const struct matrix *value, bool negate) {
    for (uint32_t row = 0; row < value->rows; row++)
        for (uint32_t col = 0; col < value->cols; col++)
            to[(size_t)row * stride + col] =
                negate ? -1.5f * (float)AT(value, row, col) : (float)AT(value, row, col);
}

static void put_item(struct harness *h, uint32_t slot, const struct harness_item *item,
                     bool negate) {
    if (item->kind == ITEM_DIM) {
        program_set_dim(h->program, slot, item->dim, item->num);
        return;
    }
    uint32_t *to = program_input(h->program, slot, item->tensor), stride = item->tensor->stride;
    if (item->kind == ITEM_INPUT)
        put_matrix((float *)to, stride, item->value, negate);
    for (uint32_t row = 0; row < item->num && item->kind == ITEM_IDENTITY; row++)
        to[row] = row;
    for (uint32_t row = 0; row < item->num && item->kind == ITEM_UINTS; row++)
        memcpy(to + (size_t)row * stride, item->uints + (size_t)row * item->tensor->cols,
               item->tensor->cols * sizeof *to);
}

enum vks_status harness_submit(struct harness *h, uint32_t slot, const struct harness_feed *feed) {
    struct program *program = h->program;
    for (size_t i = 0; i < h->num_items; i++)
        if (h->items[i].kind <= ITEM_UINTS)
            put_item(h, slot, &h->items[i], feed->negate);
    program_set_uint(program, slot, HEADER_SEED, h->dropout_seed);
    program_set_uint(program, slot, HEADER_RANK, h->dropout_rank);
    program_set_uint(program, slot, HEADER_STEP, h->dropout_step);
    program_set_uint(program, slot, HEADER_MICRO, feed->micro);
    program_set_float(program, slot, HEADER_LOSS_SCALE,
                      h->loss_scale != 0.0f ? h->loss_scale : 1.0f);
    return program_submit(program, slot);
}

// Rows of floats without their pads; those to the next multiple of 4 must be zero.
static void get_rows(struct harness *h, const float *from, uint32_t stride, struct matrix *to) {
    for (uint32_t row = 0; row < to->rows; row++) {
        const float *values = from + (size_t)row * stride;
        for (uint32_t col = 0; col < to->cols; col++)
            AT(to, row, col) = (double)values[col];
        for (uint32_t col = to->cols; col < round_up_u64(to->cols, 4) && col < stride; col++)
            h->num_dirty_pads += values[col] != 0.0f;
    }
}

enum vks_status harness_read_parameter(struct harness *h, const struct harness_item *item,
                                       struct matrix *to) {
    const struct parameter *parameter = &item->parameter;
    float *values = memory_malloc(parameter->bytes + 1);
    if (!values)
        return VKS_ERR_OOM;
    enum vks_status status =
        buffer_read(h->device, parameter_range(&h->store, PART_GRADIENT, parameter), values);
    if (status == VKS_OK)
        get_rows(h, values, parameter->stride, to);
    free(values);
    return status;
}

static enum vks_status read_result(struct harness *h, uint32_t slot,
                                   const struct harness_item *item, struct matrix *to) {
    if (item->kind == ITEM_PARAMETER)
        return harness_read_parameter(h, item, to);
    get_rows(h, program_output(h->program, slot, item->tensor), item->tensor->stride, to);
    return VKS_OK;
}

// Copies words, or counts those that are not the same.
static void take_words(struct harness *h, uint32_t slot, const struct harness_item *item,
                       bool copies) {
    const uint32_t *words = program_output(h->program, slot, item->tensor);
    for (uint32_t row = 0; row < item->num; row++) {
        for (uint32_t col = 0; col < item->tensor->cols; col++) {
            uint32_t word = words[(size_t)row * item->tensor->stride + col];
            uint32_t *taken = &item->words[(size_t)row * item->tensor->cols + col];
            if (copies)
                *taken = word;
            h->num_different += *taken != word;
        }
    }
}

enum vks_status harness_collect(struct harness *h, uint32_t slot) {
    TRY(program_wait(h->program, slot));
    for (size_t i = 0; i < h->num_items; i++) {
        const struct harness_item *item = &h->items[i];
        if (item->kind == ITEM_WORDS)
            take_words(h, slot, item, true);
        if (item->result)
            TRY(read_result(h, slot, item, item->result));
    }
    return VKS_OK;
}

static enum vks_status compare_result(struct harness *h, uint32_t slot,
                                      const struct harness_item *item) {
    const struct matrix *first = item->result;
    size_t num = (size_t)first->rows * first->cols;
    struct matrix again = {first->rows, first->cols, memory_malloc(num * sizeof *again.v + 1)};
    if (!again.v)
        return VKS_ERR_OOM;
    enum vks_status status = read_result(h, slot, item, &again);
    for (size_t i = 0; i < num && status == VKS_OK; i++)
        h->num_different += memcmp(&again.v[i], &first->v[i], sizeof *again.v) != 0;
    free(again.v);
    return status;
}

enum vks_status harness_compare(struct harness *h, uint32_t slot, bool with_parameters) {
    TRY(program_wait(h->program, slot));
    for (size_t i = 0; i < h->num_items; i++) {
        const struct harness_item *item = &h->items[i];
        if (item->kind == ITEM_WORDS)
            take_words(h, slot, item, false);
        if (item->result && (item->kind != ITEM_PARAMETER || with_parameters))
            TRY(compare_result(h, slot, item));
    }
    return VKS_OK;
}

static enum vks_status fill_store(struct harness *h) {
    h->store.parts = 0;
    TRY(parameter_store_allocate(&h->store, PARTS_GRADIENT));
    for (size_t i = 0; i < h->num_items; i++) {
        const struct harness_item *item = &h->items[i];
        if (item->kind != ITEM_PARAMETER)
            continue;
        float *values = memory_calloc((size_t)item->num * item->value->cols + 1, sizeof *values);
        if (!values)
            return VKS_ERR_OOM;
        put_matrix(values, item->value->cols, item->value, false);
        enum vks_status status =
            parameter_write(&h->store, PART_VALUE, &item->parameter, 0, item->num, values);
        free(values);
        TRY(status);
    }
    return VKS_OK;
}

enum vks_status harness_open(struct harness *h, harness_build *build, void *user,
                             const struct program_params *params) {
    h->num_items = 0;
    h->program = NULL;
    parameter_store_init(h->device, &h->store);
    h->store.parts = PARTS_GRADIENT; // known to graph_parameter before there is memory
    TRY(graph_create(h->device, &h->graph));
    h->graph->element = h->element;
    build(h, user);
    graph_backward(h->graph);
    enum vks_status status = h->graph->status;
    if (status == VKS_OK)
        status = fill_store(h);
    if (status != VKS_OK) {
        graph_destroy(&h->graph);
        return status;
    }
    return program_create(&h->graph, params, &h->program);
}

void harness_close(struct harness *h) {
    program_destroy(&h->program);
    parameter_store_finish(&h->store);
}

enum vks_status harness_run(struct harness *h, harness_build *build, void *user) {
    const struct harness_feed feed = {0};
    enum vks_status status;
    TRY_GOTO(status, harness_open(h, build, user, &(struct program_params){0}), done);
    TRY_GOTO(status, harness_submit(h, 0, &feed), done);
    TRY_GOTO(status, harness_collect(h, 0), done);
    TRY_GOTO(status, harness_submit(h, 1, &feed), done);
    TRY_GOTO(status, harness_compare(h, 1, true), done);
done:
    harness_close(h);
    return status;
}
