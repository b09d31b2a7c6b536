#include "decode/step_decoder.h"

#include "base/check.h"
#include "base/log.h"
#include "ops/copy.h"
#include "ops/decoding.h"
#include "ops/output.h"

#include <string.h>

// Caches of all layers take at most this, and at most a quarter of the device's memory.
static const uint64_t MAX_CACHE_BYTES = 512ull << 20;

static const struct program_params program_params = {.num_slots = 1};

static uint64_t cache_row_bytes(const struct vks_model_config *config) {
    return 2ull * config->width * sizeof(float);
}

void step_decoder_init(struct vks_model *model, uint32_t k, struct step_decoder *decoder) {
    memset(decoder, 0, sizeof *decoder);
    decoder->model = model;
    decoder->k = k;
    const struct vks_device_info *info = &model->device->info;
    uint64_t row_bytes = cache_row_bytes(&model->config);
    uint64_t bytes = info->memory_bytes / 4;
    bytes = bytes < MAX_CACHE_BYTES ? bytes : MAX_CACHE_BYTES;
    uint64_t rows = bytes / (row_bytes * model->config.decoder_layers);
    uint64_t bound = info->max_binding_bytes / row_bytes;
    decoder->max_cache_rows = (uint32_t)(rows < bound ? rows : bound);
}

static void release(struct step_decoder *decoder) {
    program_destroy(&decoder->encoder);
    program_destroy(&decoder->step);
    for (uint32_t i = 0; i < WEIGHTS_MAX_LAYERS; i++) {
        buffer_finish(decoder->model->device, &decoder->self_caches[i]);
        buffer_finish(decoder->model->device, &decoder->memory_kvs[i]);
    }
    memset(&decoder->capacity, 0, sizeof decoder->capacity);
}

void step_decoder_finish(struct step_decoder *decoder) {
    if (decoder->model)
        release(decoder);
}

// A buffer of rows as wide as keys and values, as a tensor.
static struct tensor *kv_tensor(const struct step_decoder *decoder, struct graph *graph,
                                const struct vk_buffer *buffer, uint32_t num_rows) {
    struct vk_range range = {buffer, 0, buffer->bytes};
    return graph_stored(graph, range, graph_dim_fixed(graph, num_rows),
                        2 * decoder->model->config.width);
}

static enum vks_status build_encoder(struct step_decoder *decoder,
                                     const struct step_capacity *capacity) {
    struct vks_model *model = decoder->model;
    struct graph *graph;
    TRY(graph_create(model->device, &graph));
    const struct transformer transformer = {
        .graph = graph, .config = &model->config, .weights = &model->weights};
    const struct feed_capacity feed = {.num_src = capacity->num_src,
                                       .num_sequences = capacity->num_sentences};
    feed_declare(graph, &model->config, &feed, false, &decoder->batch);
    struct tensor *memory = transformer_encode(&transformer, &decoder->batch);
    for (uint32_t i = 0; i < model->config.decoder_layers; i++)
        op_copy_to(graph, transformer_memory_kv(&transformer, memory, i),
                   kv_tensor(decoder, graph, &decoder->memory_kvs[i], capacity->num_src));
    return program_create(&graph, &program_params, &decoder->encoder);
}

static enum vks_status build_step(struct step_decoder *decoder,
                                  const struct step_capacity *capacity) {
    struct vks_model *model = decoder->model;
    struct tensor *self_caches[WEIGHTS_MAX_LAYERS], *memory_kvs[WEIGHTS_MAX_LAYERS];
    struct graph *graph;
    TRY(graph_create(model->device, &graph));
    const struct transformer transformer = {
        .graph = graph, .config = &model->config, .weights = &model->weights};
    for (uint32_t i = 0; i < model->config.decoder_layers; i++) {
        self_caches[i] =
            kv_tensor(decoder, graph, &decoder->self_caches[i], capacity->num_cache_rows);
        memory_kvs[i] = kv_tensor(decoder, graph, &decoder->memory_kvs[i], capacity->num_src);
    }
    decoder->rows = graph_dim(graph, capacity->num_rows);
    decoder->inputs = (struct step_inputs){
        .tokens = graph_input(graph, decoder->rows, 1),
        .positions = graph_input(graph, decoder->rows, 1),
        .cache_places = graph_input(graph, decoder->rows, 1),
        .self_ranges = graph_input(graph, decoder->rows, 4),
        .cache_rows = graph_input(graph, decoder->rows, capacity->num_steps),
        .cross_ranges = graph_input(graph, decoder->rows, 4),
        .self_caches = self_caches,
        .memory_kvs = memory_kvs,
    };
    struct tensor *h = transformer_step(&transformer, &decoder->inputs);
    decoder->inputs.self_caches = decoder->inputs.memory_kvs = NULL;
    if (graph->status == VKS_OK) {
        const struct output_params output = {
            .h = h, .weight = transformer_weight(&transformer, &model->weights.output)};
        struct tensor *logits = op_logits(graph, &output);
        decoder->best = op_top_k(graph, logits, model->config.pad_id, decoder->k);
    }
    return program_create(&graph, &program_params, &decoder->step);
}

static enum vks_status build(struct step_decoder *decoder, const struct step_capacity *capacity) {
    struct vks_device *device = decoder->model->device;
    uint64_t row_bytes = cache_row_bytes(&decoder->model->config);
    for (uint32_t i = 0; i < decoder->model->config.decoder_layers; i++) {
        TRY(buffer_init(device, BUFFER_DEVICE, capacity->num_cache_rows * row_bytes,
                        &decoder->self_caches[i]));
        TRY(buffer_init(device, BUFFER_DEVICE, capacity->num_src * row_bytes,
                        &decoder->memory_kvs[i]));
    }
    TRY(build_encoder(decoder, capacity));
    return build_step(decoder, capacity);
}

// The next power of two, so that slowly growing needs do not rebuild programs every time.
static uint32_t grown(uint32_t now, uint32_t needed) {
    if (needed <= now)
        return now;
    uint32_t power = 4;
    while (power < needed)
        power *= 2;
    return power;
}

enum vks_status step_decoder_reserve(struct step_decoder *decoder,
                                     const struct step_capacity *needed) {
    struct vks_model *model = decoder->model;
    const struct step_capacity *now = &decoder->capacity;
    CHECK(needed->num_cache_rows <= decoder->max_cache_rows);
    struct step_capacity next = {
        .num_src = grown(now->num_src, needed->num_src),
        .num_sentences = grown(now->num_sentences, needed->num_sentences),
        .num_rows = grown(now->num_rows, needed->num_rows),
        .num_steps = grown(now->num_steps, needed->num_steps),
        .num_cache_rows =
            min_u32(grown(now->num_cache_rows, needed->num_cache_rows), decoder->max_cache_rows),
        .num_positions = grown(now->num_positions, needed->num_positions),
    };
    // Someone else's longer sentences may have moved the table of positions.
    bool is_current = decoder->position_rows == model->weights.encoder.positions.rows;
    if (is_current && memcmp(&next, now, sizeof next) == 0)
        return VKS_OK;
    release(decoder);
    TRY(weights_reserve_positions(&model->weights, &model->config, next.num_positions));
    enum vks_status status = build(decoder, &next);
    if (status != VKS_OK) {
        release(decoder);
        return status;
    }
    decoder->capacity = next;
    decoder->position_rows = model->weights.encoder.positions.rows;
    return VKS_OK;
}

enum vks_status step_decoder_encode(struct step_decoder *decoder, const struct packed *source) {
    feed_write(decoder->encoder, 0, &decoder->batch, source, NULL, NULL);
    TRY(program_submit(decoder->encoder, 0));
    return program_wait(decoder->encoder, 0);
}

void step_decoder_rows(struct step_decoder *decoder, struct step_rows *rows) {
    const struct step_inputs *inputs = &decoder->inputs;
    struct program *step = decoder->step;
    *rows = (struct step_rows){
        .tokens = program_input(step, 0, inputs->tokens),
        .positions = program_input(step, 0, inputs->positions),
        .cache_places = program_input(step, 0, inputs->cache_places),
        .self_ranges = program_input(step, 0, inputs->self_ranges),
        .cross_ranges = program_input(step, 0, inputs->cross_ranges),
        .cache_rows = program_input(step, 0, inputs->cache_rows),
        .cache_stride = inputs->cache_rows->stride,
    };
}

enum vks_status step_decoder_run(struct step_decoder *decoder, uint32_t num_rows,
                                 struct top_k_rows *best) {
    program_set_dim(decoder->step, 0, decoder->rows, num_rows);
    TRY(program_submit(decoder->step, 0));
    TRY(program_wait(decoder->step, 0));
    *best = (struct top_k_rows){
        .words = program_output(decoder->step, 0, decoder->best),
        .stride = decoder->best->stride,
        .num_stretches = top_k_num_stretches(decoder->model->config.target_vocab),
        .k = decoder->k,
    };
    return VKS_OK;
}
