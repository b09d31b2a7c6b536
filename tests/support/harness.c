#include "support/harness.h"

#include "base/check.h"
#include "scatter_rows_interface.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

// Copies rows into the graph and out of it, and gradients the other way.
enum { FROM, PLACES, TO, GRADIENT };

uint32_t harness_seed(void) {
    const char *given = getenv("VKSEQ_TEST_SEED");
    return given ? (uint32_t)strtoul(given, NULL, 10) : (uint32_t)getpid();
}

// A column is copied whole, as one long row.
static enum vks_status record_copy(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    bool column = t[FROM]->cols == 1;
    const struct dim rows = t[PLACES]->rows;
    const struct scatter_rows_push push = {
        .rows_dim = rows.idx,
        .quads = column ? t[FROM]->rows.capacity / 4 : t[FROM]->stride / 4,
        .from_stride = column ? 0 : t[FROM]->stride / 4,
        .to_stride = column ? 0 : t[TO]->stride / 4,
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
    assert_int_equal(accumulate, ACCUMULATE_NO);
    graph_add_node(graph, &copy_class, t, NULL, 0);
}

static const struct op_class leaf_class = {"leaf", record_copy, leaf_backward};
static const struct op_class result_class = {"result", record_copy, result_backward};

static struct harness_item *add_item(struct harness *h, struct harness_item item) {
    assert_true(h->num_items < HARNESS_MAX_ITEMS);
    h->items[h->num_items] = item;
    return &h->items[h->num_items++];
}

struct dim harness_dim(struct harness *h, uint32_t capacity, uint32_t value) {
    struct dim dim = graph_dim(h->graph, capacity);
    add_item(h, (struct harness_item){.kind = ITEM_DIM, .dim = dim, .num = value});
    return dim;
}

struct tensor *harness_uints(struct harness *h, struct dim dim, uint32_t cols,
                             const uint32_t *values, uint32_t num) {
    struct tensor *tensor = graph_input(h->graph, dim, cols);
    assert_true(num <= dim.capacity);
    add_item(h, (struct harness_item){
                    .kind = ITEM_UINTS, .tensor = tensor, .uints = values, .num = num});
    return tensor;
}

static struct tensor *identity(struct harness *h, struct dim dim) {
    uint32_t *places = ARENA_NEW(&h->arena, uint32_t, dim.capacity + 1);
    for (uint32_t i = 0; i < dim.capacity; i++)
        places[i] = i;
    return harness_uints(h, dim, 1, places, dim.capacity);
}

static struct tensor *add_input(struct harness *h, struct dim dim, const struct matrix *value) {
    struct tensor *tensor = graph_input(h->graph, dim, value->cols);
    assert_true(value->rows <= dim.capacity);
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
    t[TO]->needs_grad = gradient != NULL;
    graph_add_node(h->graph, &leaf_class, t, NULL, 0);
    return t[TO];
}

void harness_result(struct harness *h, struct tensor *y, struct matrix *result,
                    const struct matrix *r) {
    struct dim one = graph_dim_fixed(h->graph, 1);
    assert_non_null(y);
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
    assert_int_equal(parameter_store_reserve(&h->store, value->rows, value->cols, &parameter),
                     VKS_OK);
    struct tensor *tensor = graph_parameter(h->graph, &h->store, &parameter);
    if (!gradient)
        tensor->needs_grad = false;
    add_item(h, (struct harness_item){.kind = ITEM_PARAMETER,
                                      .tensor = tensor,
                                      .parameter = parameter,
                                      .value = value,
                                      .result = gradient,
                                      .num = value->rows});
    return tensor;
}

void harness_words(struct harness *h, struct tensor *output, uint32_t *words, uint32_t num) {
    add_item(
        h, (struct harness_item){.kind = ITEM_WORDS, .tensor = output, .words = words, .num = num});
}

// negate: other numbers than the test's, to tell the slots apart.
static void put_matrix(float *to, uint32_t stride, const struct matrix *value, bool negate) {
    for (uint32_t row = 0; row < value->rows; row++)
        for (uint32_t col = 0; col < value->cols; col++)
            to[(size_t)row * stride + col] =
                negate ? -1.5f * (float)AT(value, row, col) : (float)AT(value, row, col);
}

static void fill_slot(struct harness *h, uint32_t slot, uint32_t micro, bool negate) {
    struct program *program = h->program;
    for (size_t i = 0; i < h->num_items; i++) {
        const struct harness_item *item = &h->items[i];
        if (item->kind == ITEM_DIM)
            program_set_dim(program, slot, item->dim, item->num);
        if (item->kind == ITEM_INPUT)
            put_matrix(program_input(program, slot, item->tensor), item->tensor->stride,
                       item->value, negate);
        if (item->kind != ITEM_UINTS)
            continue;
        uint32_t *to = program_input(program, slot, item->tensor);
        for (uint32_t row = 0; row < item->num; row++)
            memcpy(to + (size_t)row * item->tensor->stride,
                   item->uints + (size_t)row * item->tensor->cols, item->tensor->cols * sizeof *to);
    }
    program_set_uint(program, slot, HEADER_SEED, h->dropout_seed);
    program_set_uint(program, slot, HEADER_RANK, h->dropout_rank);
    program_set_uint(program, slot, HEADER_STEP, h->dropout_step);
    program_set_uint(program, slot, HEADER_MICRO, micro);
    program_set_float(program, slot, HEADER_LOSS_SCALE,
                      h->loss_scale != 0.0f ? h->loss_scale : 1.0f);
}

// A row of `values`: its pads must be zero.
static void get_row(struct matrix *to, uint32_t row, const float *values, uint32_t stride) {
    for (uint32_t col = 0; col < to->cols; col++)
        AT(to, row, col) = (double)values[col];
    for (uint32_t col = to->cols; col < stride; col++)
        if (values[col] != 0.0f)
            fail_msg("row %u: pad %u holds %g (seed %u)", row, col, (double)values[col],
                     harness_seed());
}

static void get_result(struct harness *h, uint32_t slot, const struct harness_item *item,
                       struct matrix *to) {
    const float *from = program_output(h->program, slot, item->tensor);
    for (uint32_t row = 0; row < item->num; row++)
        get_row(to, row, from + (size_t)row * item->tensor->stride, item->tensor->stride);
}

static void get_parameter(struct harness *h, const struct harness_item *item, struct matrix *to) {
    const struct parameter *parameter = &item->parameter;
    float *values = malloc(parameter->bytes + 1);
    assert_non_null(values);
    assert_int_equal(
        buffer_read(h->device, parameter_range(&h->store, PART_GRADIENT, parameter), values),
        VKS_OK);
    for (uint32_t row = 0; row < item->num; row++)
        get_row(to, row, values + (size_t)row * parameter->stride, parameter->stride);
    free(values);
}

// The pads of a row are nobody's.
static void get_words(const struct harness_item *item, uint32_t row, const uint32_t *words,
                      bool first) {
    size_t at = (size_t)row * item->tensor->stride, bytes = item->tensor->cols * sizeof *words;
    if (first)
        memcpy(item->words + at, words + at, bytes);
    else
        assert_memory_equal(item->words + at, words + at, bytes);
}

static bool same_bits(const struct matrix *a, const struct matrix *b) {
    return memcmp(a->v, b->v, (size_t)a->rows * a->cols * sizeof(double)) == 0;
}

// What a slot's run left: kept when it is the first, else compared with what was kept.
static void collect(struct harness *h, uint32_t slot, const char *variant, bool parameters) {
    bool first = variant == NULL;
    for (size_t i = 0; i < h->num_items; i++) {
        const struct harness_item *item = &h->items[i];
        if (item->kind == ITEM_WORDS) {
            const uint32_t *words = program_output(h->program, slot, item->tensor);
            for (uint32_t row = 0; row < item->num; row++)
                get_words(item, row, words, first);
        }
        if (!item->result)
            continue;
        if (item->kind == ITEM_PARAMETER && !parameters)
            continue;
        struct matrix *to = first ? item->result : matrix_like(&h->arena, item->result);
        if (item->kind == ITEM_PARAMETER)
            get_parameter(h, item, to);
        else
            get_result(h, slot, item, to);
        if (!same_bits(to, item->result))
            fail_msg("item %zu has other bits: %s (seed %u)", i, variant, harness_seed());
    }
}

// After a second micro-batch of the same numbers.
static void check_doubled(struct harness *h) {
    for (size_t i = 0; i < h->num_items; i++) {
        const struct harness_item *item = &h->items[i];
        if (item->kind != ITEM_PARAMETER || !item->result)
            continue;
        struct matrix *sum = matrix_like(&h->arena, item->result);
        struct matrix *twice = matrix_copy(&h->arena, item->result);
        get_parameter(h, item, sum);
        for (size_t j = 0; j < (size_t)twice->rows * twice->cols; j++)
            twice->v[j] *= 2;
        assert_gradient("two micro-batches", sum, twice);
    }
}

static void run(struct harness *h, uint32_t slot) {
    assert_int_equal(program_submit(h->program, slot), VKS_OK);
}

static void wait(struct harness *h, uint32_t slot) {
    assert_int_equal(program_wait(h->program, slot), VKS_OK);
}

static void allocate_store(struct harness *h) {
    h->store.num_parts = 0;
    assert_int_equal(parameter_store_allocate(&h->store, 2), VKS_OK);
    for (size_t i = 0; i < h->num_items; i++) {
        const struct harness_item *item = &h->items[i];
        if (item->kind != ITEM_PARAMETER)
            continue;
        float *values = calloc((size_t)item->num * item->value->cols + 1, sizeof *values);
        assert_non_null(values);
        put_matrix(values, item->value->cols, item->value, false);
        assert_int_equal(
            parameter_write(&h->store, PART_VALUE, &item->parameter, 0, item->num, values), VKS_OK);
        free(values);
    }
}

static void run_variant(struct harness *h, harness_build *build, void *user,
                        const struct program_params *params, const char *name) {
    struct plan plan;
    h->num_items = 0;
    parameter_store_init(h->device, &h->store);
    h->store.num_parts = 2; // known to graph_parameter before there is memory
    assert_int_equal(graph_create(h->device, &h->graph), VKS_OK);
    build(h, user);
    graph_backward(h->graph);
    assert_int_equal(h->graph->status, VKS_OK);
    assert_int_equal(plan_make(h->graph, &plan), VKS_OK);
    assert_true(plan_is_sound(h->graph, &plan));
    allocate_store(h);
    assert_int_equal(program_create(&h->graph, params, &h->program), VKS_OK);
    // Two slots under way; the later one's gradients stay.
    fill_slot(h, 0, 0, false);
    fill_slot(h, 1, 0, true);
    run(h, 1);
    run(h, 0);
    wait(h, 1);
    wait(h, 0);
    collect(h, 0, name, true);
    fill_slot(h, 1, 1, false);
    run(h, 1);
    wait(h, 1);
    collect(h, 1, "the other slot", false);
    check_doubled(h);
    program_destroy(&h->program);
    parameter_store_finish(&h->store);
    arena_finish(&h->arena);
}

void harness_run(struct harness *h, harness_build *build, void *user) {
    uint64_t binding_bytes = h->device->info.max_binding_bytes;
    if (h->binding_bytes)
        h->device->info.max_binding_bytes = h->binding_bytes;
    run_variant(h, build, user, &(struct program_params){0}, NULL);
    run_variant(h, build, user, &(struct program_params){.poison = true}, "poisoned memory");
    run_variant(h, build, user, &(struct program_params){.barrier_everywhere = true},
                "barriers everywhere");
    h->device->info.max_binding_bytes = binding_bytes;
}

static void assert_near(const char *name, const struct matrix *out, const struct matrix *reference,
                        double tolerance) {
    double norm = oracle_norm2(reference), difference = 0;
    assert_int_equal(out->rows, reference->rows);
    assert_int_equal(out->cols, reference->cols);
    for (size_t i = 0; i < (size_t)out->rows * out->cols; i++)
        difference += (out->v[i] - reference->v[i]) * (out->v[i] - reference->v[i]);
    difference = sqrt(difference);
    if (!(difference <= tolerance * (norm + tolerances[ELEMENT_F32].floor)))
        fail_msg("%s [%u, %u] is off by %g of %g, relatively %g (seed %u)", name, out->rows,
                 out->cols, difference, norm, difference / norm, harness_seed());
}

void assert_forward(const char *name, const struct matrix *out, const struct matrix *reference) {
    assert_near(name, out, reference, tolerances[ELEMENT_F32].forward);
}

void assert_gradient(const char *name, const struct matrix *out, const struct matrix *reference) {
    assert_near(name, out, reference, tolerances[ELEMENT_F32].gradient);
}

void assert_same_bits(const char *name, const struct matrix *a, const struct matrix *b) {
    assert_int_equal(a->rows, b->rows);
    assert_same_rows(name, a, 0, b);
}

void assert_same_rows(const char *name, const struct matrix *batch, uint32_t first,
                      const struct matrix *alone) {
    assert_int_equal(batch->cols, alone->cols);
    for (uint32_t row = 0; row < alone->rows; row++)
        if (memcmp(&AT(batch, first + row, 0), &AT(alone, row, 0), alone->cols * sizeof(double)) !=
            0)
            fail_msg("%s: row %u has other bits alone (seed %u)", name, row, harness_seed());
}
