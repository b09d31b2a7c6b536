#include "ops/beam_search.h"

#include "base/check.h"
#include "base/log.h"
#include "graph/program.h"

enum {
    SENTENCES,
    BEAMS,
    CACHE_ROWS,
    NEXT_CACHE_ROWS,
    ROWS,
    BEST,
    LOG_SUMS,
    LENGTHS,
    HEADS,
    EVENTS,
    LOGITS,
    PARTS
};

struct node_params {
    struct beam_rule rule;
    struct dim sentences;
    uint32_t section, best_k;
};

uint32_t beam_words(uint32_t k) {
    return BEAM_HEAD + BEAM_NUM_LISTS * k;
}

uint32_t beam_event_words(uint32_t k) {
    return EVENTS_HEAD + EVENT_WORDS * 2 * k;
}

uint32_t beam_section_words(uint32_t num_rows) {
    return (uint32_t)round_up_u64(num_rows, BUFFER_ALIGNMENT / sizeof(uint32_t));
}

uint64_t beam_rows_words(uint32_t num_rows, uint32_t num_cache_rows) {
    return (uint64_t)ROWS_HISTORY * beam_section_words(num_rows) + num_cache_rows;
}

static struct beam_rows_push make_rows_push(const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    struct beam_rows_push push = {
        .sentences_dim = params->sentences.idx,
        .k = params->rule.k,
        .beam_stride = t[BEAMS]->stride,
        .start_alive = params->rule.start_alive,
        .start_token = params->rule.start_token,
        .position_offset = params->rule.position_offset,
    };
    if (t[ROWS]) {
        push.section = params->section;
        push.cache_stride = t[CACHE_ROWS]->stride;
        push.num_steps = t[CACHE_ROWS]->cols;
    }
    return push;
}

static enum vks_status record_begin(struct recorder *recorder, const struct node *node) {
    const struct node_params *params = node->params;
    const struct beam_rows_push push = make_rows_push(node);
    return recorder_dispatch(
        recorder, &(struct op_dispatch){.key = {.shader = "beam_begin"},
                                        .binds = {[1] = {node->tensors[BEAMS], ACCESS_UPDATE},
                                                  [2] = {node->tensors[SENTENCES], ACCESS_READ}},
                                        .push = &push,
                                        .push_bytes = sizeof push,
                                        .groups = {{params->sentences, 1, 0}}});
}

static enum vks_status record_select(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    const struct beam_push push = {
        .k = params->rule.k,
        .beam_stride = t[BEAMS]->stride,
        .event_stride = t[EVENTS]->stride,
        .eos = params->rule.eos_id,
        .best_stride = t[BEST]->stride,
        .num_stretches = t[HEADS]->cols,
        .best_k = params->best_k,
        .n_best = params->rule.n_best,
        .branches = params->rule.branches,
    };
    return recorder_dispatch(recorder, &(struct op_dispatch){
                                           .key = {"beam_select", {params->rule.rule}, 1},
                                           .binds = {[1] = {t[BEST], ACCESS_READ},
                                                     [2] = {t[LOG_SUMS], ACCESS_READ},
                                                     [3] = {t[SENTENCES], ACCESS_READ},
                                                     [4] = {t[BEAMS], ACCESS_UPDATE},
                                                     [5] = {t[LENGTHS], ACCESS_READ},
                                                     [6] = {t[HEADS], ACCESS_UPDATE},
                                                     [7] = {t[EVENTS], ACCESS_WRITE}},
                                           .push = &push,
                                           .push_bytes = sizeof push,
                                           .groups = {{params->sentences, 1, 0}},
                                       });
}

static enum vks_status record_advance(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    const struct beam_rows_push push = make_rows_push(node);
    TRY(recorder_dispatch(recorder,
                          &(struct op_dispatch){
                              .key = {.shader = "beam_advance"},
                              .binds = {[1] = {t[BEAMS], ACCESS_UPDATE},
                                        [2] = {t[SENTENCES], ACCESS_READ},
                                        [3] = {t[CACHE_ROWS], ACCESS_READ},
                                        [4] = {t[NEXT_CACHE_ROWS], ACCESS_WRITE},
                                        [5] = {t[ROWS], ACCESS_WRITE}},
                              .push = &push,
                              .push_bytes = sizeof push,
                              .groups = {{params->sentences, 1, 0}, {.fixed = params->rule.k}},
                          }));
    return recorder_copy(recorder, t[NEXT_CACHE_ROWS], t[CACHE_ROWS]);
}

struct parts_params {
    struct dim sentences;
    uint32_t first_row, num_rows; // of a window on the logits
};

static enum vks_status record_parts(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct parts_params *params = node->params;
    const struct beam_parts_push push = {
        .event_stride = t[EVENTS]->stride,
        .beam_stride = t[BEAMS]->stride,
        .parts_stride = t[PARTS]->stride,
        .first_row = params->first_row,
        .num_rows = params->num_rows,
        .stride = t[LOGITS]->stride,
    };
    return recorder_dispatch(recorder,
                             &(struct op_dispatch){
                                 .key = {.shader = "beam_parts"},
                                 .binds = {[1] = {t[EVENTS], ACCESS_READ},
                                           [2] = {t[BEAMS], ACCESS_READ},
                                           [3] = {t[LOGITS], ACCESS_READ},
                                           [4] = {t[LOG_SUMS], ACCESS_READ},
                                           [5] = {t[PARTS], ACCESS_WRITE}},
                                 .windows = {[3] = {params->first_row, params->num_rows, 0}},
                                 .push = &push,
                                 .push_bytes = sizeof push,
                                 .groups = {{params->sentences, 1, 0}},
                             });
}

static const struct op_class parts_class = {"beam parts", record_parts, NULL};
static const struct op_class begin_class = {"beam begin", record_begin, NULL};
static const struct op_class select_class = {"beam select", record_select, NULL};
static const struct op_class advance_class = {"beam advance", record_advance, NULL};

void op_beam_begin(struct graph *graph, const struct beam_rule *rule,
                   const struct beam_tables *tables) {
    if (graph->status != VKS_OK)
        return;
    CHECK(rule->start_alive >= 1 && rule->start_alive <= rule->k);
    const struct node_params params = {.rule = *rule, .sentences = tables->sentences};
    graph_add_node(graph, &begin_class,
                   (struct tensor *[NODE_MAX_TENSORS]){
                       [SENTENCES] = tables->of_sentences, [BEAMS] = tables->beams},
                   &params, sizeof params);
}

struct tensor *op_beam_select(struct graph *graph, const struct beam_select_params *p) {
    if (graph->status != VKS_OK)
        return NULL;
    const struct beam_tables *tables = p->tables;
    CHECK(p->best->cols == 2 * p->best_k * p->heads->cols);
    struct tensor *t[NODE_MAX_TENSORS] = {
        [SENTENCES] = tables->of_sentences, [BEAMS] = tables->beams, [BEST] = p->best,
        [LOG_SUMS] = p->log_sums,           [LENGTHS] = p->lengths,  [HEADS] = p->heads};
    t[EVENTS] = graph_output(graph, tables->sentences, beam_event_words(p->rule->k));
    const struct node_params params = {
        .rule = *p->rule, .sentences = tables->sentences, .best_k = p->best_k};
    graph_add_node(graph, &select_class, t, &params, sizeof params);
    return t[EVENTS];
}

struct tensor *op_beam_parts(struct graph *graph, const struct beam_rule *rule,
                             const struct beam_tables *tables, struct tensor *events,
                             struct tensor *logits, struct tensor *log_sums) {
    if (graph->status != VKS_OK)
        return NULL;
    struct tensor *parts = graph_output(graph, tables->sentences, 2 * rule->k);
    struct tensor *t[NODE_MAX_TENSORS] = {[BEAMS] = tables->beams,
                                          [LOG_SUMS] = log_sums,
                                          [EVENTS] = events,
                                          [LOGITS] = logits,
                                          [PARTS] = parts};
    uint32_t num_rows = logits->rows.capacity;
    uint32_t step = graph_window_rows(graph, logits, WINDOW_ROWS);
    for (uint32_t first = 0; first < num_rows && parts; first += step) {
        const struct parts_params params = {tables->sentences, first,
                                            min_u32(step, num_rows - first)};
        graph_add_node(graph, &parts_class, t, &params, sizeof params);
    }
    return parts;
}

void op_beam_advance(struct graph *graph, const struct beam_rule *rule,
                     const struct beam_tables *tables) {
    if (graph->status != VKS_OK)
        return;
    const struct node_params params = {
        .rule = *rule, .sentences = tables->sentences, .section = tables->section};
    graph_add_node(graph, &advance_class,
                   (struct tensor *[NODE_MAX_TENSORS]){[SENTENCES] = tables->of_sentences,
                                                       [BEAMS] = tables->beams,
                                                       [CACHE_ROWS] = tables->cache_rows,
                                                       [NEXT_CACHE_ROWS] = tables->next_cache_rows,
                                                       [ROWS] = tables->rows},
                   &params, sizeof params);
}
