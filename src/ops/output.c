#include "ops/output.h"

#include "base/check.h"
#include "base/log.h"
#include "ops/matmul.h"
#include "sum_interface.h"

enum { H, WEIGHT, BIAS, LOGITS, LABELS, LOSSES, DH, DWEIGHT, DBIAS, WEIGHTS, STATE, SLICES };

// More rows a chunk make no product faster, and take memory.
enum { MAX_CHUNK_ROWS = 4096 };

struct node_params {
    struct dim rows; // of this chunk
    uint32_t first_row, pad;
    float smoothing;
    uint32_t accumulate_weight, accumulate_bias;
};

static enum vks_status record_logits(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    return matmul_record(recorder, &(struct matmul){.layout = GEMM_NT,
                                                    .a = t[H],
                                                    .b = t[WEIGHT],
                                                    .c = t[LOGITS],
                                                    .bias = t[BIAS],
                                                    .a_row = params->first_row,
                                                    .c_row = params->first_row,
                                                    .rows = params->rows});
}

static const struct op_class logits_class = {"logits", record_logits, NULL};

static bool check_output(struct graph *graph, const struct output_params *p) {
    if (graph->status != VKS_OK)
        return false;
    if (p->weight->cols == p->h->cols && p->h->cols >= MATMUL_MIN_COLS &&
        p->weight->rows.capacity >= MATMUL_MIN_COLS &&
        (!p->bias || p->bias->cols == p->weight->rows.capacity))
        return true;
    graph_fail(graph, VKS_ERR_SHAPE,
               "output: h [N, %u], weight [%u, %u], bias [%u]; no width under %d", p->h->cols,
               p->weight->rows.capacity, p->weight->cols, p->bias ? p->bias->cols : 0,
               MATMUL_MIN_COLS);
    return false;
}

struct tensor *op_logits(struct graph *graph, const struct output_params *p) {
    if (!check_output(graph, p))
        return NULL;
    struct tensor *t[NODE_MAX_TENSORS] = {[H] = p->h, [WEIGHT] = p->weight, [BIAS] = p->bias};
    t[LOGITS] = graph_activation(graph, p->h->rows, p->weight->rows.capacity);
    if (!t[LOGITS])
        return NULL;
    uint32_t num_rows = p->h->rows.capacity;
    uint32_t step = graph_window_rows(graph, t[LOGITS], WINDOW_ROWS);
    for (uint32_t first = 0; first < num_rows; first += step) {
        const struct node_params params = {
            .rows = graph_dim_rest(graph, p->h->rows, first, min_u32(step, num_rows - first)),
            .first_row = first};
        graph_add_node(graph, &logits_class, t, &params, sizeof params);
    }
    return t[LOGITS];
}

static enum vks_status record_softmax(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    const struct cross_entropy_push push = {
        .rows_dim = params->rows.idx,
        .first_row = params->first_row,
        .vocab = t[LOGITS]->cols,
        .stride = t[LOGITS]->stride / 4,
        .pad = params->pad,
        .smoothing = params->smoothing,
    };
    return recorder_dispatch(
        recorder, &(struct op_dispatch){
                      .key = {.shader = "cross_entropy",
                              .spec = {t[DH] || t[DWEIGHT], t[WEIGHTS] != NULL, t[STATE] != NULL},
                              .num_spec = 3},
                      .binds = {[1] = {t[LOGITS], ACCESS_UPDATE},
                                [2] = {t[LABELS], ACCESS_READ},
                                [3] = {t[LOSSES], ACCESS_WRITE},
                                [4] = {t[WEIGHTS], ACCESS_READ},
                                [5] = {t[STATE], ACCESS_READ}},
                      .push = &push,
                      .push_bytes = sizeof push,
                      .groups = {{params->rows, 1, 0}},
                  });
}

// Logits, losses and gradients of one chunk of rows.
static enum vks_status record_chunk(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    TRY(matmul_record(recorder, &(struct matmul){.layout = GEMM_NT,
                                                 .a = t[H],
                                                 .b = t[WEIGHT],
                                                 .c = t[LOGITS],
                                                 .bias = t[BIAS],
                                                 .a_row = params->first_row,
                                                 .rows = params->rows}));
    TRY(record_softmax(recorder, node));
    if (t[DH])
        TRY(matmul_record(recorder, &(struct matmul){.layout = GEMM_NN,
                                                     .a = t[LOGITS],
                                                     .b = t[WEIGHT],
                                                     .c = t[DH],
                                                     .c_row = params->first_row,
                                                     .rows = params->rows}));
    if (!t[DWEIGHT])
        return VKS_OK;
    return matmul_record(recorder, &(struct matmul){.layout = GEMM_TN,
                                                    .a = t[LOGITS],
                                                    .b = t[H],
                                                    .c = t[DWEIGHT],
                                                    .bias = t[DBIAS],
                                                    .slices = t[SLICES],
                                                    .b_row = params->first_row,
                                                    .rows = params->rows,
                                                    .accumulate = params->accumulate_weight,
                                                    .accumulate_bias = params->accumulate_bias});
}

static const struct op_class cross_entropy_class = {"cross-entropy", record_chunk, NULL};

static uint32_t chunk_rows(const struct graph *graph, const struct cross_entropy_params *p) {
    uint64_t row_bytes = round_up_u64(p->output.weight->rows.capacity, 4) * sizeof(float);
    uint64_t fits = graph->device->info.max_binding_bytes / row_bytes;
    uint32_t rows = p->chunk_rows ? p->chunk_rows : MAX_CHUNK_ROWS;
    if (rows > fits)
        rows = fits ? (uint32_t)fits : 1;
    return rows > 32 ? rows / 32 * 32 : rows;
}

struct tensor *op_cross_entropy(struct graph *graph, const struct cross_entropy_params *p) {
    if (!check_output(graph, &p->output))
        return NULL;
    struct tensor *h = p->output.h, *weight = p->output.weight;
    uint32_t step = chunk_rows(graph, p), accumulate = ACCUMULATE_NO;
    struct tensor *t[NODE_MAX_TENSORS] = {[H] = h,
                                          [WEIGHT] = weight,
                                          [BIAS] = p->output.bias,
                                          [LABELS] = p->labels,
                                          [WEIGHTS] = p->weights,
                                          [STATE] = p->state};
    t[LOSSES] = graph_activation(graph, h->rows, 1);
    if (p->with_gradient)
        t[DH] = graph_write_gradient(graph, h, &accumulate);
    if (accumulate != ACCUMULATE_NO) {
        graph_fail(graph, VKS_ERR_UNSUPPORTED, "one tensor cannot have two losses");
        return NULL;
    }
    for (uint32_t first = 0; first < h->rows.capacity; first += step) {
        struct node_params params = {
            .rows = graph_dim_rest(graph, h->rows, first, min_u32(step, h->rows.capacity - first)),
            .first_row = first,
            .pad = p->pad,
            .smoothing = p->smoothing,
        };
        t[LOGITS] = graph_activation(graph, params.rows, weight->rows.capacity);
        if (p->with_gradient) {
            t[DWEIGHT] = graph_write_gradient(graph, weight, &params.accumulate_weight);
            t[DBIAS] = graph_write_gradient(graph, p->output.bias, &params.accumulate_bias);
            if (t[DBIAS] && !t[DWEIGHT]) // the bias's comes along with the weight's
                t[DWEIGHT] = graph_activation(graph, weight->rows, h->cols);
            t[SLICES] = matmul_slices(graph, params.rows.capacity, t[DWEIGHT], NULL);
        }
        graph_add_node(graph, &cross_entropy_class, t, &params, sizeof params);
    }
    return t[LOSSES];
}

enum { SUM_X, SUM_TOTAL };

static enum vks_status record_sum(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct sum_push push = {t[SUM_X]->rows.idx};
    return recorder_dispatch(
        recorder, &(struct op_dispatch){
                      .key = {.shader = "sum"},
                      .binds = {[1] = {t[SUM_X], ACCESS_READ}, [2] = {t[SUM_TOTAL], ACCESS_WRITE}},
                      .push = &push,
                      .push_bytes = sizeof push});
}

static const struct op_class sum_class = {"sum", record_sum, NULL};

struct tensor *op_sum(struct graph *graph, struct tensor *x) {
    struct tensor *total = graph_output(graph, graph_dim_fixed(graph, 1), 1);
    graph_add_node(graph, &sum_class,
                   (struct tensor *[NODE_MAX_TENSORS]){[SUM_X] = x, [SUM_TOTAL] = total}, NULL, 0);
    return total;
}
