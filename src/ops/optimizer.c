#include "ops/optimizer.h"

#include "base/check.h"
#include "base/log.h"
#include "graph/program.h"

#include <math.h>

// Windows of the flat stores that one kernel walks.
static const uint64_t MAX_WINDOW_BYTES = 128ull << 20;

enum { NORM_BLOCK_BYTES = NORM_BLOCK_QUADS * 4 * sizeof(float) };

// The first NUM_PARTS are the parts of the store.
enum { VALUE, GRADIENT, MOMENT1, MOMENT2, AVERAGE, NORM_PARTS, STATE, REPORT };

struct node_params {
    struct optimizer_params optimizer;
    struct dim parts;
    uint32_t first_part;
};

static enum vks_status record_norm(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    const struct norm_window_push push = {.quads_dim = t[GRADIENT]->rows.idx,
                                          .first_part = params->first_part};
    return recorder_dispatch(
        recorder,
        &(struct op_dispatch){
            .key = {.shader = "gradient_norm"},
            .binds = {[1] = {t[GRADIENT], ACCESS_READ}, [2] = {t[NORM_PARTS], ACCESS_WRITE}},
            .push = &push,
            .push_bytes = sizeof push,
            .groups = {{t[GRADIENT]->rows, NORM_BLOCK_QUADS, 0}},
        });
}

static enum vks_status record_norm_finish(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct node_params *params = node->params;
    const struct cost_scaling *scaling = &params->optimizer.scaling;
    const struct norm_window_push push = {.parts_dim = params->parts.idx,
                                          .scale_frequency = scaling->frequency,
                                          .scale_multiplier = scaling->multiplier,
                                          .scale_minimum = scaling->minimum};
    return recorder_dispatch(recorder, &(struct op_dispatch){
                                           .key = {.shader = "gradient_norm_finish"},
                                           .binds = {[1] = {t[NORM_PARTS], ACCESS_READ},
                                                     [2] = {t[STATE], ACCESS_UPDATE},
                                                     [3] = {t[REPORT], ACCESS_WRITE}},
                                           .push = &push,
                                           .push_bytes = sizeof push,
                                       });
}

static enum vks_status record_update(struct recorder *recorder, const struct node *node) {
    struct tensor *const *t = node->tensors;
    const struct optimizer_params *p = &((const struct node_params *)node->params)->optimizer;
    const struct update_push push = {
        .quads_dim = t[VALUE]->rows.idx,
        .beta1 = p->beta1,
        .beta2 = p->beta2,
        .eps = p->eps,
        .decay = p->decay,
        .log_beta1 = (float)log((double)p->beta1),
        .log_beta2 = (float)log((double)p->beta2),
        .smoothing = p->smoothing,
    };
    return recorder_dispatch(recorder, &(struct op_dispatch){
                                           .key = {"update", {p->kind, t[AVERAGE] != NULL}, 2},
                                           .binds = {[1] = {t[VALUE], ACCESS_UPDATE},
                                                     [2] = {t[GRADIENT], ACCESS_READ},
                                                     [3] = {t[MOMENT1], ACCESS_UPDATE},
                                                     [4] = {t[MOMENT2], ACCESS_UPDATE},
                                                     [5] = {t[STATE], ACCESS_READ},
                                                     [6] = {t[AVERAGE], ACCESS_UPDATE}},
                                           .push = &push,
                                           .push_bytes = sizeof push,
                                           .groups = {{t[VALUE]->rows, UPDATE_BLOCK_QUADS, 0}},
                                       });
}

static const struct op_class norm_class = {"gradient norm", record_norm, NULL};
static const struct op_class norm_finish_class = {"gradient norm finish", record_norm_finish, NULL};
static const struct op_class update_class = {"optimizer", record_update, NULL};

// Whole blocks where the device allows, so that sums of squares do not depend on its limits.
static uint64_t window_bytes(const struct graph *graph) {
    uint64_t limit = graph->device->info.max_binding_bytes;
    uint64_t unit = limit < NORM_BLOCK_BYTES ? BUFFER_ALIGNMENT : NORM_BLOCK_BYTES;
    return limit < MAX_WINDOW_BYTES ? limit / unit * unit : MAX_WINDOW_BYTES;
}

uint32_t optimizer_parts(const struct optimizer_params *params) {
    uint32_t parts = params->kind == UPDATE_SGD ? PARTS_SGD : PARTS_ADAM;
    return params->smoothing > 0.0f ? parts | 1u << PART_AVERAGE : parts;
}

// Adds a node for every window of the store's slabs.
static void add_windows(struct graph *graph, const struct parameter_store *store,
                        const struct op_class *op, struct tensor **t, struct node_params *params) {
    uint32_t parts = optimizer_parts(&params->optimizer);
    uint64_t step = window_bytes(graph);
    CHECK((parts & ~store->parts) == 0);
    params->first_part = 0;
    for (uint32_t slab = 0; slab < store->num_slabs; slab++) {
        for (uint64_t at = 0; at < store->slab_bytes[slab]; at += step) {
            uint64_t left = store->slab_bytes[slab] - at;
            uint64_t bytes = left < step ? left : step;
            struct dim quads = graph_dim_fixed(graph, (uint32_t)(bytes / 16));
            for (uint32_t part = 0; part < NUM_PARTS; part++)
                if (parts >> part & 1)
                    t[part] = graph_stored(
                        graph, (struct vk_range){&store->slabs[part][slab], at, bytes}, quads, 4);
            graph_add_node(graph, op, t, params, sizeof *params);
            if (graph->status != VKS_OK)
                return;
            params->first_part += div_up_u32(quads.capacity, NORM_BLOCK_QUADS);
        }
    }
}

struct tensor *op_optimizer(struct graph *graph, struct parameter_store *store,
                            struct tensor *state, const struct optimizer_params *optimizer) {
    if (graph->status != VKS_OK)
        return NULL;
    uint64_t block = window_bytes(graph), num_parts = 0;
    block = block < NORM_BLOCK_BYTES ? block : NORM_BLOCK_BYTES;
    for (uint32_t slab = 0; slab < store->num_slabs; slab++)
        num_parts += store->slab_bytes[slab] / block + 1;
    struct node_params params = {.optimizer = *optimizer};
    struct tensor *t[NODE_MAX_TENSORS] = {[STATE] = state};
    t[NORM_PARTS] = graph_activation(graph, graph_dim_fixed(graph, (uint32_t)num_parts), 1);
    t[REPORT] = graph_output(graph, graph_dim_fixed(graph, 1), STATE_WORDS);
    add_windows(graph, store, &norm_class, t, &params);
    params.parts = graph_dim_fixed(graph, params.first_part);
    graph_add_node(graph, &norm_finish_class, t, &params, sizeof params);
    struct tensor *report = t[REPORT];
    t[REPORT] = t[NORM_PARTS] = NULL;
    add_windows(graph, store, &update_class, t, &params);
    return report;
}
