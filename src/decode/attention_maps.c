#include "decode/attention_maps.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "ops/attention_probe.h"

#include <stdlib.h>
#include <string.h>

// Tokens of a side that are worked on at once, and cells of maps; longer pairs ask for more.
enum { BATCH_TOKENS = 1024, BATCH_PAIRS = 64, BATCH_CELLS = 1 << 22 };

void attention_maps_init(struct vks_model *model, const struct attention_maps_params *params,
                         struct attention_maps *maps) {
    const struct vks_model_config *config = &model->config;
    *maps = (struct attention_maps){.model = model, .params = *params};
    bool is_encoder = params->kind == VKS_ATTENTION_ENCODER;
    uint32_t num_heads = is_encoder ? config->num_heads : config->decoder_heads;
    if (params->num_mean_heads == 0)
        maps->params.num_mean_heads = num_heads;
    CHECK(maps->params.first_head + maps->params.num_mean_heads <= num_heads);
    CHECK(params->layer < (is_encoder ? config->encoder_layers : config->decoder_layers));
}

static void release(struct attention_maps *maps) {
    program_destroy(&maps->program);
    maps->capacity = (struct feed_capacity){0};
    maps->max_keys = 0;
}

void attention_maps_finish(struct attention_maps *maps) {
    release(maps);
}

// The decoder reads what starts it, then all tokens but the last.
static uint32_t num_fed(const struct attention_pair *pair) {
    return max_u32(pair->target.num_ids, 1);
}

void attention_maps_shape(const struct attention_maps *maps, const struct attention_pair *pair,
                          uint32_t *num_rows, uint32_t *num_cols) {
    uint32_t num_source = pair->source.num_ids, num_target = num_fed(pair);
    *num_rows = maps->params.kind == VKS_ATTENTION_ENCODER ? num_source : num_target;
    *num_cols = maps->params.kind == VKS_ATTENTION_DECODER ? num_target : num_source;
}

// The probed attention's number in the graph: a decoder layer attends to itself unless it has a
// cell, then to the source.
static uint32_t attention_number(const struct attention_maps *maps) {
    uint32_t num_before = maps->model->config.encoder_layers, layer = maps->params.layer;
    if (maps->params.kind == VKS_ATTENTION_ENCODER)
        return layer;
    if (maps->model->config.decoder_cell == VKS_CELL_SSRU)
        return num_before + layer;
    return num_before + 2 * layer + (maps->params.kind == VKS_ATTENTION_CROSS);
}

static enum vks_status build(struct attention_maps *maps, const struct feed_capacity *capacity,
                             uint32_t max_keys) {
    struct vks_model *model = maps->model;
    struct graph *graph;
    TRY(graph_create(model->device, &graph));
    graph->element = maps->params.element;
    const struct transformer transformer = {
        .graph = graph, .config = &model->config, .weights = &model->weights};
    feed_declare(graph, &model->config, capacity, false, &maps->inputs);
    struct tensor *memory = transformer_encode(&transformer, &maps->inputs);
    transformer_decode(&transformer, memory, &maps->inputs);
    if (graph->status == VKS_OK) {
        struct attention_params attention;
        attention_operands(graph, attention_number(maps), &attention);
        const struct attention_probe_params probe = {.q = attention.q,
                                                     .kv = attention.kv,
                                                     .blocks = attention.blocks.queries,
                                                     .q_col = attention.q_col,
                                                     .k_col = attention.k_col,
                                                     .width = attention.width,
                                                     .num_heads = attention.num_heads,
                                                     .causal = attention.blocks.causal,
                                                     .first_head = maps->params.first_head,
                                                     .num_mean_heads = maps->params.num_mean_heads,
                                                     .max_keys = max_keys};
        maps->maps = op_attention_probe(graph, &probe);
    }
    return program_create(&graph, &(struct program_params){.num_slots = 1}, &maps->program);
}

static uint32_t power_of_two(uint32_t at_least) {
    uint32_t power = 16;
    while (power < at_least)
        power *= 2;
    return power;
}

// A program for all batches that these pairs make.
static enum vks_status reserve(struct attention_maps *maps, const struct attention_pair *pairs,
                               size_t num_pairs) {
    struct vks_model *model = maps->model;
    uint32_t longest = 0, total_src = 0, total_tgt = 0;
    for (size_t i = 0; i < num_pairs; i++) {
        uint32_t num_tgt = num_fed(&pairs[i]);
        longest = max_u32(longest, max_u32(pairs[i].source.num_ids, num_tgt));
        total_src = min_u32(total_src + pairs[i].source.num_ids, BATCH_TOKENS);
        total_tgt = min_u32(total_tgt + num_tgt, BATCH_TOKENS);
    }
    const struct feed_capacity *now = &maps->capacity;
    uint32_t max_keys = max_u32(maps->max_keys, power_of_two(longest));
    const struct feed_capacity next = {
        .num_src = max_u32(now->num_src, power_of_two(max_u32(total_src, longest))),
        .num_tgt =
            max_u32(now->num_tgt, min_u32(power_of_two(max_u32(total_tgt, longest)),
                                          max_u32(BATCH_CELLS / max_keys, power_of_two(longest)))),
        .num_sequences = BATCH_PAIRS};
    TRY(weights_reserve_positions(&model->weights, &model->config, longest));
    if (next.num_src == now->num_src && next.num_tgt == now->num_tgt &&
        max_keys == maps->max_keys && maps->position_rows == model->weights.encoder.positions.rows)
        return VKS_OK;
    release(maps);
    TRY(build(maps, &next, max_keys));
    maps->capacity = next;
    maps->max_keys = max_keys;
    maps->position_rows = model->weights.encoder.positions.rows;
    return VKS_OK;
}

// Pairs laid end to end: [capacity] tokens, [BATCH_PAIRS + 1] offsets.
struct packed_pairs {
    uint32_t *src, *tgt;
    uint32_t src_offsets[BATCH_PAIRS + 1], tgt_offsets[BATCH_PAIRS + 1];
    uint32_t num;
};

static bool add_pair(const struct attention_maps *maps, const struct attention_pair *pair,
                     struct packed_pairs *batch) {
    uint32_t src = batch->src_offsets[batch->num], tgt = batch->tgt_offsets[batch->num];
    uint32_t num_src = pair->source.num_ids, num_tgt = num_fed(pair);
    if (batch->num == BATCH_PAIRS || src + num_src > maps->capacity.num_src ||
        tgt + num_tgt > maps->capacity.num_tgt)
        return false;
    memcpy(batch->src + src, pair->source.ids, num_src * sizeof *batch->src);
    batch->tgt[tgt] = maps->model->config.start_id;
    if (num_tgt > 1)
        memcpy(batch->tgt + tgt + 1, pair->target.ids, (num_tgt - 1) * sizeof *batch->tgt);
    batch->num++;
    batch->src_offsets[batch->num] = src + num_src;
    batch->tgt_offsets[batch->num] = tgt + num_tgt;
    return true;
}

static enum vks_status run_batch(struct attention_maps *maps, const struct packed_pairs *batch,
                                 const struct attention_pair *pairs, float *const *results) {
    const struct packed source = {batch->src, batch->src_offsets, batch->num};
    const struct packed target = {batch->tgt, batch->tgt_offsets, batch->num};
    feed_write(maps->program, 0, &maps->inputs, &source, &target, batch->tgt);
    TRY(program_submit(maps->program, 0));
    TRY(program_wait(maps->program, 0));
    const float *cells = program_output(maps->program, 0, maps->maps);
    bool is_encoder = maps->params.kind == VKS_ATTENTION_ENCODER;
    for (uint32_t i = 0; i < batch->num; i++) {
        uint32_t num_rows, num_cols;
        uint32_t first = is_encoder ? batch->src_offsets[i] : batch->tgt_offsets[i];
        attention_maps_shape(maps, &pairs[i], &num_rows, &num_cols);
        for (uint32_t row = 0; row < num_rows && results[i]; row++)
            memcpy(results[i] + (size_t)row * num_cols,
                   cells + (size_t)(first + row) * maps->maps->stride, num_cols * sizeof *cells);
    }
    return VKS_OK;
}

enum vks_status attention_maps_run(struct attention_maps *maps, const struct attention_pair *pairs,
                                   size_t num_pairs, float *const *results) {
    if (num_pairs == 0)
        return VKS_OK;
    TRY(reserve(maps, pairs, num_pairs));
    struct packed_pairs batch = {.src = memory_calloc(maps->capacity.num_src, sizeof *batch.src),
                                 .tgt = memory_calloc(maps->capacity.num_tgt, sizeof *batch.tgt)};
    enum vks_status status = batch.src && batch.tgt ? VKS_OK : VKS_ERR_OOM;
    for (size_t first = 0, end = 0; first < num_pairs && status == VKS_OK; first = end) {
        batch.num = 0;
        while (end < num_pairs && add_pair(maps, &pairs[end], &batch))
            end++;
        CHECK(end > first);
        status = run_batch(maps, &batch, pairs + first, results + first);
    }
    free(batch.src);
    free(batch.tgt);
    return status;
}
