#include "ops/attention_probe.h"

#include "attention_interface.h"
#include "attention_probe_interface.h"
#include "base/check.h"
#include "graph/program.h"

#include <math.h>

enum { Q, KV, BLOCKS, MAPS };

struct node_params {
    uint32_t causal, quads;
    struct attention_probe_push push;
};

static enum vks_status record(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    return recorder_dispatch(recorder,
                             &(struct op_dispatch){
                                 .key = {"attention_probe", {params->causal, params->quads}, 2},
                                 .binds = {[1] = {t[Q], ACCESS_READ},
                                           [2] = {t[KV], ACCESS_READ},
                                           [3] = {t[BLOCKS], ACCESS_READ},
                                           [4] = {t[MAPS], ACCESS_UPDATE}},
                                 .push = &params->push,
                                 .push_bytes = sizeof params->push,
                                 .groups = {{t[BLOCKS]->rows, 1, 0}, {.fixed = ATTENTION_ROWS}},
                             });
}

static const struct op_class probe_class = {"attention probe", record, NULL};

struct tensor *op_attention_probe(struct graph *graph, const struct attention_probe_params *p) {
    if (graph->status != VKS_OK)
        return NULL;
    CHECK(p->num_mean_heads > 0 && p->first_head + p->num_mean_heads <= p->num_heads);
    struct tensor *t[NODE_MAX_TENSORS] = {[Q] = p->q, [KV] = p->kv, [BLOCKS] = p->blocks};
    t[MAPS] = graph_output(graph, p->q->rows, p->max_keys);
    uint32_t head_width = p->width / p->num_heads;
    const struct node_params params = {p->causal,
                                       head_width / 4,
                                       {.q_stride = p->q->stride / 4,
                                        .q_offset = p->q_col / 4,
                                        .kv_stride = p->kv->stride / 4,
                                        .k_offset = p->k_col / 4,
                                        .map_stride = t[MAPS] ? t[MAPS]->stride : 0,
                                        .first_head = p->first_head,
                                        .num_heads = p->num_mean_heads,
                                        .scale = 1.0f / sqrtf((float)head_width)}};
    graph_add_node(graph, &probe_class, t, &params, sizeof params);
    return t[MAPS];
}
