#include "ops/embedding.h"

#include "base/check.h"
#include "base/log.h"
#include "clear_interface.h"
#include "ops/dropout.h"

enum {
    TOKENS,
    POSITIONS,
    TABLE,
    POSITION_TABLE,
    X,
    TOKEN_ROWS,
    TOKEN_PIECES,
    TOKEN_SEGMENTS,
    POSITION_ROWS,
    POSITION_PIECES,
    POSITION_SEGMENTS
};
enum { ROWS, PIECES, SEGMENTS, DX, DTABLE, SUMS };

struct node_params {
    float scale, word_dropout;
    struct dropout dropout;
};

struct gradient_params {
    struct node_params node;
    uint32_t accumulate;
};

static struct embedding_push make_push(const struct tensor *x, const struct node_params *params) {
    return (struct embedding_push){
        .rows_dim = x->rows.idx,
        .quads = x->cols / 4,
        .stride = x->stride / 4,
        .scale = params->scale,
        .dropout_threshold = params->dropout.threshold,
        .dropout_scale = params->dropout.scale,
        .dropout_stream = params->dropout.stream,
        .word_threshold = dropout_threshold(params->word_dropout),
        .word_scale = 1.0f / (1.0f - params->word_dropout),
    };
}

// Windows on a table, from its first row on.
static struct op_window first_window(const struct recorder *recorder, const struct tensor *table) {
    uint32_t step = graph_window_rows(recorder_graph(recorder), table, WINDOW_ROWS);
    return (struct op_window){.num_rows = min_u32(step, table->rows.capacity)};
}

// Moves to the next window; false at the table's end.
static bool next_window(const struct tensor *table, struct op_window *window) {
    window->first_row += window->num_rows;
    window->num_rows = min_u32(window->num_rows, table->rows.capacity - window->first_row);
    return window->num_rows > 0;
}

static enum vks_status record(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    struct embedding_push push = make_push(t[X], params);
    struct op_dispatch dispatch = {
        .key = {.shader = "embedding"},
        .binds = {[1] = {t[TOKENS], ACCESS_READ},
                  [2] = {t[POSITIONS], ACCESS_READ},
                  [3] = {t[TABLE], ACCESS_READ},
                  [4] = {t[POSITION_TABLE], ACCESS_READ},
                  [5] = {t[X], ACCESS_WRITE}},
        .push = &push,
        .push_bytes = sizeof push,
        .groups = {{t[X]->rows, 1, 0}},
        .items = t[X]->rows,
        .gathered = 1u << 3 | 1u << 4,
    };
    struct op_window *tokens = &dispatch.windows[3], *positions = &dispatch.windows[4];
    *tokens = first_window(recorder, t[TABLE]);
    do {
        push.first_token = tokens->first_row;
        push.num_tokens = tokens->num_rows;
        *positions = first_window(recorder, t[POSITION_TABLE]);
        do {
            push.first_position = positions->first_row;
            push.num_positions = positions->num_rows;
            TRY(recorder_dispatch(recorder, &dispatch));
        } while (next_window(t[POSITION_TABLE], positions));
    } while (next_window(t[TABLE], tokens));
    return VKS_OK;
}

// A table that only embeddings write to is cleared first: not every row is in a batch.
static enum vks_status record_clear(struct recorder *recorder, const struct tensor *table,
                                    const struct op_window *window, uint32_t accumulate) {
    const struct clear_push push = {window->num_rows, table->cols / 4, table->stride / 4};
    if (accumulate == ACCUMULATE_YES)
        return VKS_OK;
    return recorder_dispatch(recorder,
                             &(struct op_dispatch){
                                 .key = {"clear", {accumulate}, 1},
                                 .binds = {[1] = {table, ACCESS_WRITE}},
                                 .windows = {[1] = *window},
                                 .push = &push,
                                 .push_bytes = sizeof push,
                                 .groups = {{.fixed = min_u32(push.rows, RECORDER_MAX_GROUPS)}},
                             });
}

static enum vks_status record_gradient(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct gradient_params *params = node->params;
    struct embedding_push push = make_push(t[DX], &params->node);
    push.rows_dim = t[PIECES]->rows.idx;
    TRY(recorder_dispatch(recorder, &(struct op_dispatch){
                                        .key = {.shader = "embedding_piece_gradient"},
                                        .binds = {[1] = {t[ROWS], ACCESS_READ},
                                                  [2] = {t[PIECES], ACCESS_READ},
                                                  [3] = {t[DX], ACCESS_READ},
                                                  [4] = {t[SUMS], ACCESS_WRITE}},
                                        .push = &push,
                                        .push_bytes = sizeof push,
                                        .groups = {{t[PIECES]->rows, 1, 0}},
                                    }));
    push.rows_dim = t[SEGMENTS]->rows.idx;
    struct op_window window = first_window(recorder, t[DTABLE]);
    do {
        push.first_token = window.first_row;
        push.num_tokens = window.num_rows;
        TRY(record_clear(recorder, t[DTABLE], &window, params->accumulate));
        TRY(recorder_dispatch(recorder, &(struct op_dispatch){
                                            .key = {.shader = "embedding_gradient"},
                                            .binds = {[1] = {t[SEGMENTS], ACCESS_READ},
                                                      [2] = {t[SUMS], ACCESS_READ},
                                                      [3] = {t[DTABLE], ACCESS_UPDATE}},
                                            .windows = {[3] = window},
                                            .push = &push,
                                            .push_bytes = sizeof push,
                                            .groups = {{t[SEGMENTS]->rows, 1, 0}},
                                            .items = t[SEGMENTS]->rows,
                                            .gathered = 1u << 3,
                                        }));
    } while (next_window(t[DTABLE], &window));
    return VKS_OK;
}

static const struct op_class gradient_class = {"embedding gradient", record_gradient, NULL};

// first: the role of a table's sorted rows; pieces and segments come after it.
static void add_table_gradient(struct graph *graph, const struct node *node, int first,
                               struct tensor *table, const struct node_params *node_params) {
    struct tensor *const *t = node->tensors;
    struct gradient_params params = {.node = *node_params};
    if (!table->needs_grad)
        return;
    struct tensor *g[NODE_MAX_TENSORS] = {[ROWS] = t[first],
                                          [PIECES] = t[first + 1],
                                          [SEGMENTS] = t[first + 2],
                                          [DX] = graph_gradient(t[X])};
    g[DTABLE] = graph_write_gradient(graph, table, &params.accumulate);
    g[SUMS] = graph_activation(graph, t[first + 1]->rows, t[X]->cols);
    graph_add_node(graph, &gradient_class, g, &params, sizeof params);
}

static void backward(struct graph *graph, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *tokens = node->params;
    const struct node_params positions = {.scale = 1.0f, .dropout = tokens->dropout};
    if (!graph_gradient(t[X]))
        return;
    add_table_gradient(graph, node, TOKEN_ROWS, t[TABLE], tokens);
    add_table_gradient(graph, node, POSITION_ROWS, t[POSITION_TABLE], &positions);
}

static const struct op_class embedding_class = {"embedding", record, backward};

struct tensor *op_embedding(struct graph *graph, const struct embedding_params *p) {
    if (graph->status != VKS_OK)
        return NULL;
    uint32_t width = p->table->cols;
    if (width % 4 != 0 || p->position_table->cols != width) {
        graph_fail(graph, VKS_ERR_SHAPE,
                   "embedding: table [V, %u], positions [P, %u]; the width must be a multiple of 4",
                   width, p->position_table->cols);
        return NULL;
    }
    struct tensor *t[NODE_MAX_TENSORS] = {
        [TOKENS] = p->tokens,
        [POSITIONS] = p->positions,
        [TABLE] = p->table,
        [POSITION_TABLE] = p->position_table,
        [TOKEN_ROWS] = p->by_token.sorted_rows,
        [TOKEN_PIECES] = p->by_token.pieces,
        [TOKEN_SEGMENTS] = p->by_token.segments,
        [POSITION_ROWS] = p->by_position.sorted_rows,
        [POSITION_PIECES] = p->by_position.pieces,
        [POSITION_SEGMENTS] = p->by_position.segments,
    };
    t[X] = graph_hidden(graph, p->tokens->rows, width);
    if (t[X])
        t[X]->needs_grad = p->table->needs_grad || p->position_table->needs_grad;
    const struct node_params params = {p->scale, p->word_dropout, dropout_make(graph, p->dropout)};
    graph_add_node(graph, &embedding_class, t, &params, sizeof params);
    return t[X];
}
