#include "model/weights.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rng.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_POSITIONS = 1024 };

// What laying out the parameters needs at hand; the first failure stays.
struct layout {
    struct weights *weights;
    const struct vks_model_config *config;
    const bool *is_frozen; // by idx; NULL: none is
    enum vks_status status;
};

static struct parameter reserve(struct layout *layout, uint32_t rows, uint32_t cols) {
    struct weights *weights = layout->weights;
    struct parameter parameter = {.rows = rows, .cols = cols};
    uint32_t idx = weights->num_parameters++;
    bool is_frozen = layout->is_frozen && layout->is_frozen[idx];
    if (layout->status == VKS_OK && weights->store.device)
        layout->status = parameter_store_reserve(is_frozen ? &weights->frozen : &weights->store,
                                                 rows, cols, &parameter);
    parameter.idx = idx;
    parameter.is_frozen = is_frozen;
    return parameter;
}

// Names `num` rows (columns of a one-row parameter) from `first` on.
static void name_weight(struct layout *layout, struct named_weight weight, const char *fmt, ...)
    VKS_PRINTF(3, 4);
static void name_weight(struct layout *layout, struct named_weight weight, const char *fmt, ...) {
    struct weights *weights = layout->weights;
    if (layout->status != VKS_OK)
        return;
    if (weights->num_named == weights->named_capacity) {
        size_t capacity = weights->named_capacity ? 2 * weights->named_capacity : 256;
        struct named_weight *grown = memory_realloc(weights->named, capacity * sizeof *grown);
        if (!grown) {
            layout->status = VKS_ERR_OOM;
            return;
        }
        weights->named = grown;
        weights->named_capacity = capacity;
    }
    va_list args;
    va_start(args, fmt);
    vsnprintf(weight.name, sizeof weight.name, fmt, args);
    va_end(args);
    weights->named[weights->num_named++] = weight;
}

static struct named_weight whole(struct parameter parameter, int init) {
    bool is_vector = parameter.rows == 1;
    return (struct named_weight){.parameter = parameter,
                                 .num = is_vector ? parameter.cols : parameter.rows,
                                 .num_dims = is_vector ? 1 : 2,
                                 .init = init};
}

static struct named_weight part(struct parameter parameter, uint32_t idx, uint32_t num, int init) {
    struct named_weight weight = whole(parameter, init);
    weight.first = idx * num;
    weight.num = num;
    return weight;
}

static void lay_out_norm(struct layout *layout, struct norm_weights *norm, const char *name) {
    norm->gamma = reserve(layout, 1, layout->config->width);
    norm->beta = reserve(layout, 1, layout->config->width);
    name_weight(layout, whole(norm->gamma, INIT_ONE), "%s.weight", name);
    name_weight(layout, whole(norm->beta, INIT_ZERO), "%s.bias", name);
}

static void lay_out_linear(struct layout *layout, struct parameter *weight, struct parameter *bias,
                           uint32_t out, uint32_t in) {
    *weight = reserve(layout, out, in);
    *bias = reserve(layout, 1, out);
}

static void lay_out_attention(struct layout *layout, struct attention_weights *attention,
                              bool is_self, const char *name) {
    uint32_t width = layout->config->width, num_first = is_self ? 3 : 1;
    static const char *const letters[] = {"q", "k", "v"};
    lay_out_linear(layout, &attention->q, &attention->q_bias, num_first * width, width);
    if (!is_self)
        lay_out_linear(layout, &attention->kv, &attention->kv_bias, 2 * width, width);
    lay_out_linear(layout, &attention->out, &attention->out_bias, width, width);
    for (uint32_t i = 0; i < 3; i++) {
        bool in_first = i < num_first;
        uint32_t idx = in_first ? i : i - 1;
        name_weight(layout, part(in_first ? attention->q : attention->kv, idx, width, INIT_XAVIER),
                    "%s.%s_proj.weight", name, letters[i]);
        name_weight(layout,
                    part(in_first ? attention->q_bias : attention->kv_bias, idx, width, INIT_ZERO),
                    "%s.%s_proj.bias", name, letters[i]);
    }
    name_weight(layout, whole(attention->out, INIT_XAVIER), "%s.out_proj.weight", name);
    name_weight(layout, whole(attention->out_bias, INIT_ZERO), "%s.out_proj.bias", name);
}

static void lay_out_cell(struct layout *layout, struct cell_weights *cell, const char *name) {
    uint32_t width = layout->config->width;
    cell->input = reserve(layout, width, width);
    name_weight(layout, whole(cell->input, INIT_XAVIER), "%s.input_proj.weight", name);
    lay_out_linear(layout, &cell->forget, &cell->forget_bias, width, width);
    name_weight(layout, whole(cell->forget, INIT_XAVIER), "%s.forget_proj.weight", name);
    name_weight(layout, whole(cell->forget_bias, INIT_ZERO), "%s.forget_proj.bias", name);
    if (!layout->config->rnn_projection)
        return;
    lay_out_linear(layout, &cell->out, &cell->out_bias, width, width);
    name_weight(layout, whole(cell->out, INIT_XAVIER), "%s.out_proj.weight", name);
    name_weight(layout, whole(cell->out_bias, INIT_ZERO), "%s.out_proj.bias", name);
}

static void lay_out_layer(struct layout *layout, struct layer_weights *layer, bool is_decoder,
                          const char *stack, uint32_t idx) {
    const struct vks_model_config *config = layout->config;
    char name[WEIGHTS_NAME_BYTES];
    bool has_cell = is_decoder && config->decoder_cell == VKS_CELL_SSRU;
    snprintf(name, sizeof name, "model.%s.layers.%u.%s", stack, idx,
             has_cell ? "ssru" : "self_attn");
    if (has_cell)
        lay_out_cell(layout, &layer->cell, name);
    else
        lay_out_attention(layout, &layer->self, true, name);
    snprintf(name, sizeof name, "model.%s.layers.%u.self_attn_layer_norm", stack, idx);
    lay_out_norm(layout, &layer->self_norm, name);
    if (is_decoder) {
        snprintf(name, sizeof name, "model.%s.layers.%u.encoder_attn", stack, idx);
        lay_out_attention(layout, &layer->cross, false, name);
        snprintf(name, sizeof name, "model.%s.layers.%u.encoder_attn_layer_norm", stack, idx);
        lay_out_norm(layout, &layer->cross_norm, name);
    }
    uint32_t ffn_width = is_decoder ? config->decoder_ffn_width : config->ffn_width;
    lay_out_linear(layout, &layer->fc1, &layer->fc1_bias, ffn_width, config->width);
    lay_out_linear(layout, &layer->fc2, &layer->fc2_bias, config->width, ffn_width);
    name_weight(layout, whole(layer->fc1, INIT_XAVIER), "model.%s.layers.%u.fc1.weight", stack,
                idx);
    name_weight(layout, whole(layer->fc1_bias, INIT_ZERO), "model.%s.layers.%u.fc1.bias", stack,
                idx);
    name_weight(layout, whole(layer->fc2, INIT_XAVIER), "model.%s.layers.%u.fc2.weight", stack,
                idx);
    name_weight(layout, whole(layer->fc2_bias, INIT_ZERO), "model.%s.layers.%u.fc2.bias", stack,
                idx);
    snprintf(name, sizeof name, "model.%s.layers.%u.final_layer_norm", stack, idx);
    lay_out_norm(layout, &layer->ffn_norm, name);
}

static void lay_out_stack(struct layout *layout, struct stack_weights *stack, bool is_decoder) {
    const struct vks_model_config *config = layout->config;
    const char *name = is_decoder ? "decoder" : "encoder";
    stack->num_layers = is_decoder ? config->decoder_layers : config->encoder_layers;
    if (config->embedding_norm)
        lay_out_norm(layout, &stack->embedding_norm,
                     is_decoder ? "model.decoder.layernorm_embedding"
                                : "model.encoder.layernorm_embedding");
    for (uint32_t i = 0; i < stack->num_layers; i++) {
        if (is_decoder && config->tied_layers[i])
            stack->layers[i] = stack->layers[config->tied_layers[i] - 1];
        else
            lay_out_layer(layout, &stack->layers[i], is_decoder, name, i);
    }
    if (config->pre_norm && !config->no_final_norm)
        lay_out_norm(layout, &stack->final_norm,
                     is_decoder ? "model.decoder.layer_norm" : "model.encoder.layer_norm");
    if (config->positions != VKS_POSITIONS_LEARNED)
        return;
    if (is_decoder && config->shared_positions) {
        stack->positions = layout->weights->encoder.positions;
    } else {
        stack->positions =
            reserve(layout, config->max_positions + config->position_offset, config->width);
        name_weight(layout, whole(stack->positions, INIT_EMBEDDING),
                    "model.%s.embed_positions.weight", name);
    }
}

static void lay_out_embeddings(struct layout *layout) {
    const struct vks_model_config *config = layout->config;
    struct weights *weights = layout->weights;
    weights->encoder.embedding = reserve(layout, config->source_vocab, config->width);
    bool is_joint = config->tying == VKS_TIED_ALL || config->tying == VKS_TIED_SOURCE;
    if (is_joint) {
        weights->decoder.embedding = weights->encoder.embedding;
        name_weight(layout, whole(weights->encoder.embedding, INIT_EMBEDDING),
                    "model.shared.weight");
    } else {
        weights->decoder.embedding = reserve(layout, config->target_vocab, config->width);
        name_weight(layout, whole(weights->encoder.embedding, INIT_EMBEDDING),
                    "model.encoder.embed_tokens.weight");
        name_weight(layout, whole(weights->decoder.embedding, INIT_EMBEDDING),
                    "model.decoder.embed_tokens.weight");
    }
    weights->output = weights->decoder.embedding;
    if (config->tying == VKS_TIED_NONE || config->tying == VKS_TIED_SOURCE) {
        weights->output = reserve(layout, config->target_vocab, config->width);
        name_weight(layout, whole(weights->output, INIT_EMBEDDING), "lm_head.weight");
    }
    if (!config->output_bias)
        return;
    weights->output_bias = reserve(layout, 1, config->target_vocab);
    // A matrix of one row, as transformers has it.
    struct named_weight bias = whole(weights->output_bias, INIT_ZERO);
    bias.num = 1;
    bias.num_dims = 2;
    name_weight(layout, bias, "final_logits_bias");
}

enum vks_status weights_init(struct vks_device *device, const struct vks_model_config *config,
                             const bool *is_frozen, uint32_t parts, struct weights *weights) {
    memset(weights, 0, sizeof *weights);
    parameter_store_init(device, &weights->store);
    parameter_store_init(device, &weights->frozen);
    parameter_store_init(device, &weights->constants);
    struct layout layout = {.weights = weights, .config = config, .is_frozen = is_frozen};
    lay_out_embeddings(&layout);
    lay_out_stack(&layout, &weights->encoder, false);
    lay_out_stack(&layout, &weights->decoder, true);
    if (layout.status == VKS_OK && device)
        layout.status = weights_allocate(weights, config, parts);
    if (layout.status != VKS_OK)
        weights_finish(weights);
    return layout.status;
}

enum vks_status weights_allocate(struct weights *weights, const struct vks_model_config *config,
                                 uint32_t parts) {
    TRY(parameter_store_allocate(&weights->store, parts));
    TRY(parameter_store_allocate(&weights->frozen, parts & PARTS_RUN));
    uint32_t offset = config->position_offset;
    uint32_t rows = max_u32(weights->encoder.positions.rows, MIN_POSITIONS + offset);
    return weights_reserve_positions(weights, config, rows - offset);
}

void weights_release(struct weights *weights) {
    parameter_store_finish(&weights->store);
    parameter_store_finish(&weights->frozen);
    parameter_store_finish(&weights->constants);
}

void weights_finish(struct weights *weights) {
    weights_release(weights);
    free(weights->named);
    weights->named = NULL;
    weights->num_named = 0;
}

void weights_fill_positions(const struct vks_model_config *config, uint32_t num_rows,
                            float *table) {
    uint32_t width = config->width, half = width / 2;
    double last = config->positions == VKS_POSITIONS_HF ? width / 2.0 : half - 1.0;
    for (uint32_t row = 0; row < num_rows; row++) {
        for (uint32_t i = 0; i < half; i++) {
            double angle = row * pow(10000.0, -(i / last));
            table[(size_t)row * width + i] = (float)sin(angle);
            table[(size_t)row * width + half + i] = (float)cos(angle);
        }
    }
}

enum vks_status weights_reserve_positions(struct weights *weights,
                                          const struct vks_model_config *config,
                                          uint32_t num_positions) {
    uint32_t rows = num_positions + config->position_offset, width = config->width;
    bool has_table = parameter_store_has(&weights->constants, PART_VALUE);
    if (config->positions == VKS_POSITIONS_LEARNED ||
        (has_table && rows <= weights->encoder.positions.rows))
        return VKS_OK;
    struct vks_device *device = weights->store.device;
    struct parameter_store grown;
    struct parameter positions;
    parameter_store_init(device, &grown);
    float *table = memory_malloc((size_t)rows * width * sizeof *table);
    if (!table)
        return VKS_ERR_OOM;
    weights_fill_positions(config, rows, table);
    enum vks_status status;
    TRY_GOTO(status, parameter_store_reserve(&grown, rows, width, &positions), done);
    TRY_GOTO(status, parameter_store_allocate(&grown, PARTS_RUN), done);
    TRY_GOTO(status, parameter_write(&grown, PART_VALUE, &positions, 0, rows, table), done);
    parameter_store_finish(&weights->constants);
    weights->constants = grown;
    parameter_store_init(device, &grown);
    weights->encoder.positions = weights->decoder.positions = positions;
done:
    parameter_store_finish(&grown);
    free(table);
    return status;
}

bool named_weight_has_part(const struct named_weight *weight, enum parameter_part part_idx) {
    return part_idx == PART_VALUE || !weight->parameter.is_frozen;
}

uint64_t named_weight_size(const struct named_weight *weight) {
    return (uint64_t)weight->num * (weight->num_dims == 1 ? 1 : weight->parameter.cols);
}

static struct parameter_store *store_of(struct weights *weights,
                                        const struct parameter *parameter) {
    return parameter->is_frozen ? &weights->frozen : &weights->store;
}

// A stretch of a one-row parameter.
static struct vk_range vector_range(struct weights *weights, enum parameter_part part_idx,
                                    const struct named_weight *weight) {
    struct vk_range range =
        parameter_range(store_of(weights, &weight->parameter), part_idx, &weight->parameter);
    return (struct vk_range){range.buffer, range.offset + weight->first * sizeof(float),
                             weight->num * sizeof(float)};
}

enum vks_status named_weight_read(struct weights *weights, enum parameter_part part_idx,
                                  const struct named_weight *weight, float *values) {
    if (weight->num_dims == 1)
        return buffer_read(weights->store.device, vector_range(weights, part_idx, weight), values);
    return parameter_read(store_of(weights, &weight->parameter), part_idx, &weight->parameter,
                          weight->first, weight->num, values);
}

enum vks_status named_weight_write(struct weights *weights, enum parameter_part part_idx,
                                   const struct named_weight *weight, const float *values) {
    if (weight->num_dims == 1)
        return buffer_write(weights->store.device, vector_range(weights, part_idx, weight), values);
    return parameter_write(store_of(weights, &weight->parameter), part_idx, &weight->parameter,
                           weight->first, weight->num, values);
}

static void randomize(const struct named_weight *weight, const struct vks_model_config *config,
                      struct rng *rng, float *values) {
    uint64_t size = named_weight_size(weight);
    double bound = sqrt(6.0 / ((double)weight->num + weight->parameter.cols));
    double deviation = 1.0 / sqrt((double)config->width);
    for (uint64_t i = 0; i < size; i++) {
        switch (weight->init) {
        case INIT_XAVIER:
            values[i] = (float)((2.0 * rng_uniform(rng) - 1.0) * bound);
            break;
        case INIT_EMBEDDING:
            values[i] = (float)(rng_normal(rng) * deviation);
            break;
        case INIT_ZERO:
        case INIT_ONE:
            values[i] = weight->init == INIT_ONE ? 1.0f : 0.0f;
            break;
        }
    }
    bool has_pad = weight->init == INIT_EMBEDDING && weight->num > config->pad_id &&
                   !strstr(weight->name, "positions");
    if (has_pad)
        memset(values + (size_t)config->pad_id * config->width, 0, config->width * sizeof *values);
}

enum vks_status weights_randomize(struct weights *weights, const struct vks_model_config *config,
                                  uint32_t seed) {
    enum vks_status status = VKS_OK;
    for (size_t i = 0; i < weights->num_named && status == VKS_OK; i++) {
        const struct named_weight *weight = &weights->named[i];
        // Streams of initial values begin at 1; data and dropout use others.
        struct rng rng = {.seed = seed, .stream = (uint32_t)i + 1};
        float *values = memory_malloc(named_weight_size(weight) * sizeof *values);
        if (!values)
            return VKS_ERR_OOM;
        randomize(weight, config, &rng, values);
        status = named_weight_write(weights, PART_VALUE, weight, values);
        free(values);
    }
    return status;
}
