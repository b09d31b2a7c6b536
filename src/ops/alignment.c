#include "ops/alignment.h"

#include "base/log.h"
#include "graph/program.h"

#include <math.h>

enum { Q, KV, BLOCKS, KEY_BLOCKS, WEIGHTS, FIRST_KEYS, DWEIGHTS, DQ, DKV };

struct weights_params {
    uint32_t q_col, k_col, head_width;
};

static struct alignment_push weights_push(const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct weights_params *params = node->params;
    return (struct alignment_push){
        .max_keys = t[WEIGHTS]->cols,
        .weights_stride = t[WEIGHTS]->stride,
        .q_stride = t[Q]->stride / 4,
        .q_offset = params->q_col / 4,
        .kv_stride = t[KV]->stride / 4,
        .k_offset = params->k_col / 4,
        .scale = 1.0f / sqrtf((float)params->head_width),
    };
}

static enum vks_status record_weights(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct weights_params *params = node->params;
    const struct alignment_push push = weights_push(node);
    return recorder_dispatch(recorder,
                             &(struct op_dispatch){
                                 .key = {"attention_weights", {params->head_width / 4}, 1},
                                 .binds = {[ALIGNMENT_Q] = {t[Q], ACCESS_READ},
                                           [ALIGNMENT_KV] = {t[KV], ACCESS_READ},
                                           [ALIGNMENT_TABLE] = {t[BLOCKS], ACCESS_READ},
                                           [ALIGNMENT_WEIGHTS] = {t[WEIGHTS], ACCESS_UPDATE},
                                           [ALIGNMENT_FIRST_KEYS] = {t[FIRST_KEYS], ACCESS_WRITE}},
                                 .push = &push,
                                 .push_bytes = sizeof push,
                                 .groups = {{t[BLOCKS]->rows, 1, 0}},
                             });
}

static enum vks_status record_weights_gradient(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct weights_params *params = node->params;
    const struct alignment_push push = weights_push(node);
    TRY(recorder_dispatch(
        recorder, &(struct op_dispatch){
                      .key = {"attention_weights_query_gradient", {params->head_width / 4}, 1},
                      .binds = {[ALIGNMENT_KV] = {t[KV], ACCESS_READ},
                                [ALIGNMENT_TABLE] = {t[BLOCKS], ACCESS_READ},
                                [ALIGNMENT_WEIGHTS] = {t[WEIGHTS], ACCESS_READ},
                                [ALIGNMENT_DWEIGHTS] = {t[DWEIGHTS], ACCESS_UPDATE},
                                [ALIGNMENT_GRAD] = {t[DQ], ACCESS_UPDATE}},
                      .push = &push,
                      .push_bytes = sizeof push,
                      .groups = {{t[BLOCKS]->rows, 1, 0}},
                  }));
    return recorder_dispatch(
        recorder, &(struct op_dispatch){
                      .key = {"attention_weights_key_gradient", {params->head_width / 4}, 1},
                      .binds = {[ALIGNMENT_Q] = {t[Q], ACCESS_READ},
                                [ALIGNMENT_TABLE] = {t[KEY_BLOCKS], ACCESS_READ},
                                [ALIGNMENT_FIRST_KEYS] = {t[FIRST_KEYS], ACCESS_READ},
                                [ALIGNMENT_DWEIGHTS] = {t[DWEIGHTS], ACCESS_READ},
                                [ALIGNMENT_GRAD] = {t[DKV], ACCESS_UPDATE}},
                      .push = &push,
                      .push_bytes = sizeof push,
                      .groups = {{t[KEY_BLOCKS]->rows, 1, 0}},
                  });
}

static const struct op_class weights_gradient_class = {"attention weights gradient",
                                                       record_weights_gradient, NULL};

static void weights_backward(struct graph *graph, const struct node *node) {
    struct tensor *const *t = node->tensors;
    struct tensor *g[NODE_MAX_TENSORS] = {[Q] = t[Q],
                                          [KV] = t[KV],
                                          [BLOCKS] = t[BLOCKS],
                                          [KEY_BLOCKS] = t[KEY_BLOCKS],
                                          [WEIGHTS] = t[WEIGHTS],
                                          [FIRST_KEYS] = t[FIRST_KEYS],
                                          [DWEIGHTS] = graph_gradient(t[WEIGHTS])};
    uint32_t accumulate_q = ACCUMULATE_NO, accumulate_kv = ACCUMULATE_NO;
    if (!g[DWEIGHTS])
        return;
    g[DQ] = graph_write_gradient(graph, t[Q], &accumulate_q);
    g[DKV] = graph_write_gradient(graph, t[KV], &accumulate_kv);
    if (accumulate_q != ACCUMULATE_YES || accumulate_kv != ACCUMULATE_YES) {
        graph_fail(
            graph, VKS_ERR_UNSUPPORTED,
            "attention weights: an attention must read the same queries and keys after them");
        return;
    }
    graph_add_node(graph, &weights_gradient_class, g, node->params, sizeof(struct weights_params));
}

static const struct op_class weights_class = {"attention weights", record_weights,
                                              weights_backward};

struct tensor *op_attention_weights(struct graph *graph, const struct attention_weights_params *p) {
    if (graph->status != VKS_OK)
        return NULL;
    if (p->head_width == 0 || p->head_width % 4 != 0 || p->head_width > ALIGNMENT_MAX_WIDTH) {
        graph_fail(graph, VKS_ERR_UNSUPPORTED,
                   "attention weights: a head of width %u; a multiple of 4 up to %d is needed",
                   p->head_width, ALIGNMENT_MAX_WIDTH);
        return NULL;
    }
    if (p->q_col + p->head_width > p->q->cols || p->k_col + p->head_width > p->kv->cols ||
        (p->q_col | p->k_col) % 4 != 0 || p->max_keys == 0) {
        graph_fail(
            graph, VKS_ERR_SHAPE,
            "attention weights: a head of width %u at columns %u, %u of [N, %u] and [M, %u], "
            "of at most %u keys",
            p->head_width, p->q_col, p->k_col, p->q->cols, p->kv->cols, p->max_keys);
        return NULL;
    }
    struct tensor *t[NODE_MAX_TENSORS] = {
        [Q] = p->q, [KV] = p->kv, [BLOCKS] = p->query_blocks, [KEY_BLOCKS] = p->key_blocks};
    t[WEIGHTS] = graph_activation(graph, p->q->rows, p->max_keys);
    t[FIRST_KEYS] = graph_activation(graph, p->q->rows, 1);
    if (t[WEIGHTS])
        t[WEIGHTS]->needs_grad = p->q->needs_grad && p->kv->needs_grad;
    const struct weights_params params = {p->q_col, p->k_col, p->head_width};
    graph_add_node(graph, &weights_class, t, &params, sizeof params);
    return t[WEIGHTS];
}

enum { LOSS_WEIGHTS, LINKS, LOSSES, LOSS_DWEIGHTS, STATE };

struct loss_params {
    uint32_t cost;
    float weight;
};

// Either the losses or the gradient of the weights.
static enum vks_status record_loss(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct loss_params *params = node->params;
    const struct alignment_push push = {
        .rows_dim = t[LOSS_WEIGHTS]->rows.idx,
        .max_keys = t[LOSS_WEIGHTS]->cols,
        .weights_stride = t[LOSS_WEIGHTS]->stride,
        .links_stride = t[LINKS]->stride,
        .scale = params->weight,
    };
    return recorder_dispatch(
        recorder, &(struct op_dispatch){
                      .key = {.shader = "alignment_loss",
                              .spec = {params->cost, t[LOSS_DWEIGHTS] != NULL, t[STATE] != NULL},
                              .num_spec = 3},
                      .binds = {[ALIGNMENT_LINKS] = {t[LINKS], ACCESS_READ},
                                [ALIGNMENT_LOSSES] = {t[LOSSES], ACCESS_WRITE},
                                [ALIGNMENT_WEIGHTS] = {t[LOSS_WEIGHTS], ACCESS_READ},
                                [ALIGNMENT_DWEIGHTS] = {t[LOSS_DWEIGHTS], ACCESS_WRITE},
                                [ALIGNMENT_STATE] = {t[STATE], ACCESS_READ}},
                      .push = &push,
                      .push_bytes = sizeof push,
                      .groups = {{t[LOSS_WEIGHTS]->rows, 1, 0}},
                  });
}

static const struct op_class loss_gradient_class = {"alignment loss gradient", record_loss, NULL};

static void loss_backward(struct graph *graph, const struct node *node) {
    uint32_t accumulate = ACCUMULATE_NO;
    struct tensor *t[NODE_MAX_TENSORS] = {
        [LOSS_WEIGHTS] = node->tensors[LOSS_WEIGHTS],
        [LINKS] = node->tensors[LINKS],
        [STATE] = node->tensors[STATE],
        [LOSS_DWEIGHTS] = graph_write_gradient(graph, node->tensors[LOSS_WEIGHTS], &accumulate)};
    if (accumulate != ACCUMULATE_NO)
        graph_fail(graph, VKS_ERR_UNSUPPORTED, "attention weights cannot have two losses");
    if (t[LOSS_DWEIGHTS])
        graph_add_node(graph, &loss_gradient_class, t, node->params, sizeof(struct loss_params));
}

static const struct op_class loss_class = {"alignment loss", record_loss, loss_backward};

struct tensor *op_alignment_loss(struct graph *graph, const struct alignment_loss_params *p) {
    if (graph->status != VKS_OK)
        return NULL;
    if (p->links->cols != alignment_link_words(p->weights->cols)) {
        graph_fail(graph, VKS_ERR_SHAPE, "alignment loss: weights [N, %u], links of %u words",
                   p->weights->cols, p->links->cols);
        return NULL;
    }
    struct tensor *t[NODE_MAX_TENSORS] = {
        [LOSS_WEIGHTS] = p->weights, [LINKS] = p->links, [STATE] = p->state};
    t[LOSSES] = graph_activation(graph, p->weights->rows, 1);
    const struct loss_params params = {p->cost, p->weight};
    graph_add_node(graph, &loss_class, t, &params, sizeof params);
    return t[LOSSES];
}
