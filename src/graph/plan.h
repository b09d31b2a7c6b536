// Where activations lie: lifetimes that do not overlap share memory.
#ifndef GRAPH_PLAN_H
#define GRAPH_PLAN_H

#include "graph/graph.h"

enum { PLAN_MAX_ARENAS = 32 };

struct plan {
    uint64_t arena_bytes[PLAN_MAX_ARENAS];
    uint32_t num_arenas;
    uint64_t max_arena_bytes;
};

// Gives every activation of the graph its arena and offset, 256-byte aligned, largest first, each
// at the lowest place that is free during its lifetime. Arenas are at most buffer_max_bytes.
// Errors: VKS_ERR_OOM, VKS_ERR_UNSUPPORTED when it takes too many arenas.
enum vks_status plan_make(struct graph *graph, struct plan *plan);

// Whether two activations whose lifetimes overlap never share a byte; proves a plan.
bool plan_is_sound(const struct graph *graph, const struct plan *plan);

#endif
