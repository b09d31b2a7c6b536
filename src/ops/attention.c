#include "ops/attention.h"

#include "base/check.h"
#include "base/log.h"
#include "ops/dropout.h"

#include <math.h>

enum { Q, KV, STATS, BLOCKS, OUT, DOUT, DQ, DKV, KEY_BLOCKS };

struct node_params {
    uint32_t q_col, k_col, v_col, width, num_heads, causal;
    struct dropout dropout;
};

static struct attention_push make_push(const struct node_params *params, struct tensor *const *t) {
    uint32_t head_width = params->width / params->num_heads;
    return (struct attention_push){
        .stats_stride = t[STATS] ? t[STATS]->stride / 2 : 0,
        .q_stride = t[Q]->stride / 4,
        .q_offset = params->q_col / 4,
        .kv_stride = t[KV]->stride / 4,
        .k_offset = params->k_col / 4,
        .v_offset = params->v_col / 4,
        .out_stride = t[OUT]->stride / 4,
        .scale = 1.0f / sqrtf((float)head_width),
        .dropout_threshold = params->dropout.threshold,
        .dropout_scale = params->dropout.scale,
        .dropout_stream = params->dropout.stream,
    };
}

// variant: the kernel's third specialisation constant.
static struct pipeline_key make_key(const char *shader, const struct node_params *params,
                                    bool variant) {
    return (struct pipeline_key){
        .shader = shader,
        .spec = {params->causal, params->width / params->num_heads / 4, variant},
        .num_spec = 3};
}

// Of so many products over the heads' widths: scores, and sums weighted by them.
static double pair_flops(const struct node_params *params, uint32_t num_products) {
    return 2.0 * num_products * params->width;
}

static enum vks_status record(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    const struct attention_push push = make_push(params, t);
    return recorder_dispatch(
        recorder, &(struct op_dispatch){
                      .key = make_key("attention_forward", params, params->dropout.threshold != 0),
                      .binds = {[ATTENTION_Q] = {t[Q], ACCESS_READ},
                                [ATTENTION_KV] = {t[KV], ACCESS_READ},
                                [ATTENTION_STATS] = {t[STATS], ACCESS_WRITE},
                                [ATTENTION_TABLE] = {t[BLOCKS], ACCESS_READ},
                                [ATTENTION_OUT] = {t[OUT], ACCESS_WRITE}},
                      .push = &push,
                      .push_bytes = sizeof push,
                      .groups = {{t[BLOCKS]->rows, 1, 0}, {.fixed = params->num_heads}},
                      .flops = pair_flops(params, 2),
                      .pairs = t[BLOCKS],
                  });
}

static enum vks_status record_gradient(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    struct attention_push push = make_push(params, t);
    struct op_dispatch dispatch = {
        .key = make_key("attention_query_gradient", params, params->dropout.threshold != 0),
        .binds = {[ATTENTION_Q] = {t[Q], ACCESS_READ},
                  [ATTENTION_KV] = {t[KV], ACCESS_READ},
                  [ATTENTION_STATS] = {t[STATS], ACCESS_UPDATE},
                  [ATTENTION_TABLE] = {t[BLOCKS], ACCESS_READ},
                  [ATTENTION_OUT] = {t[OUT], ACCESS_READ},
                  [ATTENTION_DOUT] = {t[DOUT], ACCESS_READ},
                  [ATTENTION_GRAD] = {t[DQ], ACCESS_WRITE}},
        .push = &push,
        .push_bytes = sizeof push,
        .groups = {{t[BLOCKS]->rows, 1, 0}, {.fixed = params->num_heads}},
        .flops = pair_flops(params, 3), // S and dP, dQ
        .pairs = t[BLOCKS],
    };
    push.grad_stride = t[DQ]->stride / 4;
    push.grad_offset = params->q_col / 4;
    TRY(recorder_dispatch(recorder, &dispatch));

    push.grad_stride = t[DKV]->stride / 4;
    push.grad_offset = params->k_col / 4;
    push.grad_v_offset = params->v_col / 4;
    dispatch.key = make_key("attention_key_gradient", params, params->dropout.threshold != 0);
    dispatch.binds[ATTENTION_STATS].access = ACCESS_READ;
    dispatch.binds[ATTENTION_TABLE].tensor = t[KEY_BLOCKS];
    dispatch.binds[ATTENTION_OUT].tensor = NULL;
    dispatch.binds[ATTENTION_GRAD].tensor = t[DKV];
    dispatch.groups[0].dim = t[KEY_BLOCKS]->rows;
    dispatch.flops = pair_flops(params, 4); // S and dP, dK and dV
    dispatch.pairs = t[KEY_BLOCKS];
    return recorder_dispatch(recorder, &dispatch);
}

static const struct op_class gradient_class = {"attention gradient", record_gradient, NULL};

static void backward(struct graph *graph, const struct node *node) {
    struct tensor *const *t = node->tensors;
    struct tensor *g[NODE_MAX_TENSORS] = {[Q] = t[Q],
                                          [KV] = t[KV],
                                          [STATS] = t[STATS],
                                          [BLOCKS] = t[BLOCKS],
                                          [OUT] = t[OUT],
                                          [KEY_BLOCKS] = t[KEY_BLOCKS],
                                          [DOUT] = graph_gradient(t[OUT])};
    uint32_t accumulate_q = ACCUMULATE_NO, accumulate_kv = ACCUMULATE_NO;
    if (!g[DOUT])
        return;
    g[DQ] = graph_write_gradient(graph, t[Q], &accumulate_q);
    g[DKV] = t[KV] == t[Q] ? g[DQ] : graph_write_gradient(graph, t[KV], &accumulate_kv);
    // The two kernels need a place for theirs even when nobody wants it.
    if (!g[DQ])
        g[DQ] = graph_activation(graph, t[Q]->rows, t[Q]->cols);
    if (!g[DKV])
        g[DKV] = graph_activation(graph, t[KV]->rows, t[KV]->cols);
    if (accumulate_q != ACCUMULATE_NO || accumulate_kv != ACCUMULATE_NO)
        graph_fail(graph, VKS_ERR_UNSUPPORTED,
                   "attention must be the only reader of its queries, keys and values");
    graph_add_node(graph, &gradient_class, g, node->params, sizeof(struct node_params));
}

static const struct op_class attention_class = {"attention", record, backward};

static bool check_heads(struct graph *graph, uint32_t width, uint32_t num_heads) {
    uint32_t head_width = num_heads ? width / num_heads : 0;
    if (num_heads == 0 || width % num_heads != 0) {
        graph_fail(graph, VKS_ERR_SHAPE, "attention: %u heads do not divide the width %u",
                   num_heads, width);
        return false;
    }
    if (head_width % 4 != 0 || head_width > ATTENTION_MAX_WIDTH) {
        graph_fail(graph, VKS_ERR_UNSUPPORTED,
                   "attention: a head of width %u; a multiple of 4 up to %d is needed", head_width,
                   ATTENTION_MAX_WIDTH);
        return false;
    }
    return true;
}

struct tensor *op_attention(struct graph *graph, const struct attention_params *p) {
    if (graph->status != VKS_OK || !check_heads(graph, p->width, p->num_heads))
        return NULL;
    if (p->q_col + p->width > p->q->cols || p->k_col + p->width > p->kv->cols ||
        p->v_col + p->width > p->kv->cols || (p->q_col | p->k_col | p->v_col) % 4 != 0) {
        graph_fail(graph, VKS_ERR_SHAPE,
                   "attention: width %u at columns %u, %u, %u of [N, %u] and [M, %u]", p->width,
                   p->q_col, p->k_col, p->v_col, p->q->cols, p->kv->cols);
        return NULL;
    }
    struct tensor *t[NODE_MAX_TENSORS] = {
        [Q] = p->q, [KV] = p->kv, [BLOCKS] = p->blocks.queries, [KEY_BLOCKS] = p->blocks.keys};
    t[STATS] = graph_activation(graph, p->q->rows, 2 * p->num_heads);
    t[OUT] = graph_hidden(graph, p->q->rows, p->width);
    if (t[OUT])
        t[OUT]->needs_grad = p->q->needs_grad || p->kv->needs_grad;
    const struct node_params params = {.q_col = p->q_col,
                                       .k_col = p->k_col,
                                       .v_col = p->v_col,
                                       .width = p->width,
                                       .num_heads = p->num_heads,
                                       .causal = p->blocks.causal,
                                       .dropout =
                                           dropout_make_inner(graph, p->dropout, p->num_heads)};
    graph_add_node(graph, &attention_class, t, &params, sizeof params);
    return t[OUT];
}

void attention_operands(const struct graph *graph, uint32_t nth, struct attention_params *result) {
    for (size_t i = 0; i < graph->num_nodes; i++) {
        const struct node *node = graph->nodes[i];
        if (node->op != &attention_class || nth-- > 0)
            continue;
        const struct node_params *params = node->params;
        *result = (struct attention_params){
            .q = node->tensors[Q],
            .kv = node->tensors[KV],
            .q_col = params->q_col,
            .k_col = params->k_col,
            .v_col = params->v_col,
            .width = params->width,
            .num_heads = params->num_heads,
            .blocks = {node->tensors[BLOCKS], node->tensors[KEY_BLOCKS], params->causal}};
        return;
    }
    CHECK(false); // there are not so many
}

enum { STEP_Q, STEP_KV, STEP_NONE, STEP_RANGES, STEP_OUT, STEP_CACHE_ROWS };

static enum vks_status record_step(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    struct attention_push push = make_push(params, t);
    push.cache_stride = t[STEP_CACHE_ROWS] ? t[STEP_CACHE_ROWS]->stride : 0;
    return recorder_dispatch(
        recorder, &(struct op_dispatch){
                      .key = make_key("attention_step", params, t[STEP_CACHE_ROWS] != NULL),
                      .binds = {[ATTENTION_Q] = {t[STEP_Q], ACCESS_READ},
                                [ATTENTION_KV] = {t[STEP_KV], ACCESS_READ},
                                [ATTENTION_CACHE_ROWS] = {t[STEP_CACHE_ROWS], ACCESS_READ},
                                [ATTENTION_TABLE] = {t[STEP_RANGES], ACCESS_READ},
                                [ATTENTION_OUT] = {t[STEP_OUT], ACCESS_WRITE}},
                      .push = &push,
                      .push_bytes = sizeof push,
                      .groups = {{t[STEP_Q]->rows, 1, 0}, {.fixed = params->num_heads}},
                      .flops = pair_flops(params, 2),
                      .pairs = t[STEP_RANGES],
                      .gathered = 1u << ATTENTION_KV,
                  });
}

static const struct op_class attention_step_class = {"attention step", record_step, NULL};

struct tensor *op_attention_step(struct graph *graph, const struct attention_step_params *p) {
    if (graph->status != VKS_OK || !check_heads(graph, p->width, p->num_heads))
        return NULL;
    struct tensor *t[NODE_MAX_TENSORS] = {[STEP_Q] = p->q,
                                          [STEP_KV] = p->kv,
                                          [STEP_RANGES] = p->ranges,
                                          [STEP_CACHE_ROWS] = p->cache_rows};
    t[STEP_OUT] = graph_hidden(graph, p->q->rows, p->width);
    const struct node_params params = {
        .q_col = p->q_col, .v_col = p->width, .width = p->width, .num_heads = p->num_heads};
    graph_add_node(graph, &attention_step_class, t, &params, sizeof params);
    return t[STEP_OUT];
}
