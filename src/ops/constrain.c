#include "ops/constrain.h"

#include "base/check.h"
#include "graph/program.h"

enum { LOGITS, LOG_SUMS, ROWS, CACHE_ROWS, SENTENCES, WORDS, PENALIZED };

struct node_params {
    struct dim rows; // of a window on the logits
    struct constrain_push push;
};

static enum vks_status record(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    return recorder_dispatch(
        recorder, &(struct op_dispatch){
                      .key = {.shader = "constrain"},
                      .binds = {[1] = {t[LOGITS], ACCESS_UPDATE},
                                [2] = {t[LOG_SUMS], ACCESS_READ},
                                [3] = {t[ROWS], ACCESS_READ},
                                [4] = {t[CACHE_ROWS], ACCESS_READ},
                                [5] = {t[SENTENCES], ACCESS_READ},
                                [6] = {t[WORDS], ACCESS_READ},
                                [7] = {t[PENALIZED], ACCESS_UPDATE}},
                      .windows = {[1] = {params->push.first_row, params->rows.capacity, 0}},
                      .push = &params->push,
                      .push_bytes = sizeof params->push,
                      .groups = {{params->rows, 1, 0}},
                  });
}

static const struct op_class constrain_class = {"constrain", record, NULL};

void op_constrain(struct graph *graph, const struct constrain_params *p) {
    if (graph->status != VKS_OK)
        return;
    struct tensor *cache_rows = p->tables->cache_rows;
    struct tensor *t[NODE_MAX_TENSORS] = {[LOGITS] = p->logits,
                                          [LOG_SUMS] = p->log_sums,
                                          [ROWS] = p->tables->rows,
                                          [CACHE_ROWS] = cache_rows,
                                          [SENTENCES] = p->tables->of_sentences,
                                          [WORDS] = p->words};
    t[PENALIZED] = graph_activation(graph, cache_rows->rows, cache_rows->cols);
    uint32_t num_rows = p->logits->rows.capacity;
    uint32_t step = graph_window_rows(graph, p->logits, WINDOW_ROWS);
    for (uint32_t first = 0; first < num_rows; first += step) {
        const struct node_params params = {
            graph_dim_rest(graph, p->logits->rows, first, min_u32(step, num_rows - first)),
            {.first_row = first,
             .vocab = p->logits->cols,
             .stride = p->logits->stride,
             .section = p->tables->section,
             .cache_stride = cache_rows->stride,
             .eos = p->eos_id,
             .min_length = p->min_length,
             .no_repeat_ngram = p->no_repeat_ngram,
             .repetition_penalty = p->repetition_penalty,
             .num_suppressed = p->num_suppressed,
             .num_given = p->num_given,
             .forces_eos = p->forces_eos,
             .penalty_kind = p->penalty_kind}};
        graph_add_node(graph, &constrain_class, t, &params, sizeof params);
    }
}
