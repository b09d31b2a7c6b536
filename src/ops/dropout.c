#include "ops/dropout.h"

#include "base/check.h"
#include "dropout_interface.h"

uint32_t dropout_threshold(float probability) {
    return (uint32_t)((double)probability * 0x1p32);
}

static struct dropout make(float probability, uint32_t stream) {
    return (struct dropout){
        .threshold = dropout_threshold(probability),
        .scale = 1.0f / (1.0f - probability),
        .stream = stream,
    };
}

struct dropout dropout_make(struct graph *graph, float probability) {
    return make(probability, graph_next_dropout(graph));
}

struct dropout dropout_make_inner(struct graph *graph, float probability, uint32_t num_streams) {
    return make(probability, graph_next_inner_dropouts(graph, num_streams));
}

enum vks_status dropout_record(struct recorder *recorder, const struct dropout *dropout,
                               const struct tensor *x) {
    const struct dropout_push push = {
        .rows_dim = x->rows.idx,
        .quads = div_up_u32(x->cols, 4),
        .stride = x->stride / 4,
        .dropout_threshold = dropout->threshold,
        .dropout_scale = dropout->scale,
        .dropout_stream = dropout->stream,
    };
    if (dropout->threshold == 0)
        return VKS_OK;
    return recorder_dispatch(recorder, &(struct op_dispatch){
                                           .key = {.shader = "dropout"},
                                           .binds = {[1] = {x, ACCESS_UPDATE}},
                                           .push = &push,
                                           .push_bytes = sizeof push,
                                           .groups = {{x->rows, 1, 0}},
                                       });
}
