#include "graph/plan.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static bool is_planned(const struct tensor *tensor) {
    return tensor->kind == TENSOR_ACTIVATION && tensor->first_node != UINT32_MAX;
}

static uint64_t planned_bytes(const struct tensor *tensor) {
    return round_up_u64(tensor->bytes, BUFFER_ALIGNMENT);
}

static bool lifetimes_overlap(const struct tensor *a, const struct tensor *b) {
    return a->first_node <= b->last_node && b->first_node <= a->last_node;
}

static int larger_first(const void *a_ref, const void *b_ref) {
    const struct tensor *a = *(const struct tensor *const *)a_ref;
    const struct tensor *b = *(const struct tensor *const *)b_ref;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    if (a->first_node != b->first_node)
        return a->first_node < b->first_node ? -1 : 1;
    return 0;
}

// The lowest offset in one arena where the tensor fits, given `num` placed ones ordered by
// offset. It may lie past what an arena can have.
static uint64_t lowest_place(struct tensor **placed, size_t num, const struct tensor *tensor,
                             uint32_t arena_idx) {
    uint64_t place = 0, bytes = planned_bytes(tensor);
    for (size_t i = 0; i < num; i++) {
        const struct tensor *other = placed[i];
        if (other->arena_idx != arena_idx || !lifetimes_overlap(other, tensor))
            continue;
        if (other->offset >= place + bytes)
            break;
        uint64_t end = other->offset + planned_bytes(other);
        place = end > place ? end : place;
    }
    return place;
}

static bool place(struct plan *plan, struct tensor **placed, size_t num, struct tensor *tensor) {
    for (uint32_t idx = 0; idx < PLAN_MAX_ARENAS; idx++) {
        uint64_t offset = lowest_place(placed, num, tensor, idx);
        uint64_t end = offset + planned_bytes(tensor);
        if (end > plan->max_arena_bytes)
            continue;
        tensor->arena_idx = idx;
        tensor->offset = offset;
        plan->num_arenas = max_u32(plan->num_arenas, idx + 1);
        if (end > plan->arena_bytes[idx])
            plan->arena_bytes[idx] = end;
        size_t i = num;
        while (i > 0 && placed[i - 1]->offset > offset) {
            placed[i] = placed[i - 1];
            i--;
        }
        placed[i] = tensor;
        return true;
    }
    return false;
}

enum vks_status plan_make(struct graph *graph, struct plan *plan) {
    memset(plan, 0, sizeof *plan);
    plan->max_arena_bytes = buffer_max_bytes(graph->device);
    size_t num = 0, num_placed = 0;
    struct tensor **order = memory_calloc(2 * graph->num_tensors + 1, sizeof(struct tensor *));
    if (!order)
        return VKS_ERR_OOM;
    struct tensor **placed = order + graph->num_tensors;
    for (size_t i = 0; i < graph->num_tensors; i++)
        if (is_planned(graph->tensors[i]))
            order[num++] = graph->tensors[i];
    qsort(order, num, sizeof(struct tensor *), larger_first);
    enum vks_status status = VKS_OK;
    for (size_t i = 0; i < num && status == VKS_OK; i++) {
        if (!place(plan, placed, num_placed, order[i])) {
            log_error(graph->is_trial ? NULL : graph->device->log,
                      "the program needs more than %d times %.0f MiB of activations; use a smaller "
                      "batch",
                      PLAN_MAX_ARENAS, (double)plan->max_arena_bytes / 0x1p20);
            status = VKS_ERR_UNSUPPORTED;
        }
        num_placed++;
    }
    free(order);
    return status;
}

bool plan_is_sound(const struct graph *graph, const struct plan *plan) {
    for (size_t i = 0; i < graph->num_tensors; i++) {
        const struct tensor *a = graph->tensors[i];
        if (!is_planned(a))
            continue;
        if (a->offset + a->bytes > plan->arena_bytes[a->arena_idx])
            return false;
        for (size_t j = 0; j < i; j++) {
            const struct tensor *b = graph->tensors[j];
            if (is_planned(b) && a->arena_idx == b->arena_idx && lifetimes_overlap(a, b) &&
                a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes)
                return false;
        }
    }
    return true;
}
