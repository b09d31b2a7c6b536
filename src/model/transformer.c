#include "model/transformer.h"

#include "base/check.h"
#include "ops/alignment.h"
#include "ops/conversion.h"
#include "ops/decoding.h"
#include "ops/feed_forward.h"
#include "ops/linear.h"
#include "ops/residual.h"
#include "ops/residual_norm.h"
#include "ops/ssru.h"

#include <math.h>

struct tensor *transformer_weight(const struct transformer *transformer,
                                  const struct parameter *parameter) {
    struct graph *graph = transformer->graph;
    const struct weights *weights = transformer->weights;
    const struct stack_weights *encoder = &weights->encoder;
    bool is_constant =
        transformer->config->positions != VKS_POSITIONS_LEARNED &&
        (parameter == &encoder->positions || parameter == &weights->decoder.positions);
    const struct parameter_store *store = is_constant            ? &weights->constants
                                          : parameter->is_frozen ? &weights->frozen
                                                                 : &weights->store;
    struct vk_range range = parameter_range(store, PART_VALUE, parameter);
    for (size_t i = 0; i < graph->num_tensors; i++) {
        struct tensor *tensor = graph->tensors[i];
        if (tensor->kind == TENSOR_STORED && tensor->stored.buffer == range.buffer &&
            tensor->stored.offset == range.offset && tensor->cols == parameter->cols)
            return tensor;
    }
    return graph_parameter(graph, store, parameter);
}

struct tensor *transformer_operand(const struct transformer *m, const struct parameter *parameter) {
    if (m->halves)
        return half_weights_tensor(m->halves, m->graph, parameter);
    return op_convert(m->graph, transformer_weight(m, parameter), m->graph->element);
}

// bias may be NULL.
static struct tensor *linear(const struct transformer *m, struct tensor *x,
                             const struct parameter *weight, const struct parameter *bias) {
    return op_linear(m->graph, x, transformer_operand(m, weight),
                     bias ? transformer_weight(m, bias) : NULL);
}

static struct tensor *embed(const struct transformer *m, const struct stack_weights *stack,
                            const struct sequence_inputs *inputs, float word_dropout) {
    const struct embedding_params params = {
        .tokens = inputs->tokens,
        .positions = inputs->positions,
        .table = transformer_weight(m, &stack->embedding),
        .position_table = transformer_weight(m, &stack->positions),
        .scale = m->config->no_embedding_scale ? 1.0f : sqrtf((float)m->config->width),
        .dropout = m->dropout,
        .word_dropout = word_dropout,
        .by_token = inputs->by_token,
        .by_position = inputs->by_position,
    };
    struct tensor *x = op_embedding(m->graph, &params), *sum, *normed;
    if (!m->config->embedding_norm || m->graph->status != VKS_OK)
        return x;
    const struct residual_norm_params norm = {
        .x = x,
        .gamma = transformer_weight(m, &stack->embedding_norm.gamma),
        .beta = transformer_weight(m, &stack->embedding_norm.beta),
        .eps = m->config->norm_eps,
    };
    op_residual_norm(m->graph, &norm, &sum, &normed);
    return normed;
}

// The residual stream, and what the next block reads: normalised after (post-norm) or before
// (pre-norm) each block, by norms that come in turn.
struct stream {
    const struct transformer *m;
    struct tensor *residual; // x of the next addition
    struct tensor *input;    // of the next block
};

static void normalize(struct stream *stream, struct tensor *f, const struct norm_weights *norm,
                      bool is_last) {
    const struct transformer *m = stream->m;
    if (m->graph->status != VKS_OK)
        return;
    if (is_last && m->config->pre_norm && m->config->no_final_norm) {
        stream->input = op_residual(m->graph, stream->residual, f, m->dropout);
        return;
    }
    const struct residual_norm_params params = {
        .x = stream->residual,
        .f = f,
        .gamma = transformer_weight(m, &norm->gamma),
        .beta = transformer_weight(m, &norm->beta),
        .eps = m->config->norm_eps,
        .dropout = m->dropout,
        .keeps_stream = m->config->pre_norm && !is_last,
    };
    struct tensor *s;
    op_residual_norm(m->graph, &params, &s, &stream->input);
    stream->residual = m->config->pre_norm ? s : stream->input;
}

static void begin(struct stream *stream, const struct transformer *m, struct tensor *x,
                  const struct norm_weights *first_norm) {
    *stream = (struct stream){m, x, x};
    if (m->config->pre_norm)
        normalize(stream, NULL, first_norm, false);
}

// Adds what a block gave. own: the block's norm; next: the following block's, or the final one.
static void add(struct stream *stream, struct tensor *f, const struct norm_weights *own,
                const struct norm_weights *next, bool is_last) {
    normalize(stream, f, stream->m->config->pre_norm ? next : own, is_last);
}

static struct tensor *feed_forward(const struct transformer *m, struct tensor *x,
                                   const struct layer_weights *layer) {
    static const enum activation activations[] = {ACTIVATION_RELU, ACTIVATION_GELU,
                                                  ACTIVATION_SILU};
    if (m->graph->status != VKS_OK)
        return NULL;
    const struct feed_forward_params params = {
        .x = x,
        .weight1 = transformer_operand(m, &layer->fc1),
        .bias1 = transformer_weight(m, &layer->fc1_bias),
        .weight2 = transformer_operand(m, &layer->fc2),
        .bias2 = transformer_weight(m, &layer->fc2_bias),
        .activation = activations[m->config->activation],
        .dropout = m->dropout_ffn,
    };
    return op_feed_forward(m->graph, &params);
}

static struct tensor *self_attention(const struct transformer *m, struct tensor *x,
                                     const struct attention_weights *weights, uint32_t num_heads,
                                     const struct attention_blocks *blocks) {
    uint32_t width = m->config->width;
    struct tensor *qkv = linear(m, x, &weights->q, &weights->q_bias);
    const struct attention_params params = {.q = qkv,
                                            .kv = qkv,
                                            .k_col = width,
                                            .v_col = 2 * width,
                                            .width = width,
                                            .num_heads = num_heads,
                                            .blocks = *blocks,
                                            .dropout = m->dropout_attention};
    return linear(m, op_attention(m->graph, &params), &weights->out, &weights->out_bias);
}

// What the cell gives, projected if the model has it so.
static struct tensor *project_cell(const struct transformer *m, struct tensor *y,
                                   const struct cell_weights *weights) {
    return m->config->rnn_projection && m->graph->status == VKS_OK
               ? linear(m, y, &weights->out, &weights->out_bias)
               : y;
}

static struct tensor *decoder_self(const struct transformer *m, struct tensor *x,
                                   const struct layer_weights *layer,
                                   const struct batch_inputs *inputs) {
    const struct cell_weights *cell = &layer->cell;
    if (m->config->decoder_cell == VKS_CELL_ATTENTION)
        return self_attention(m, x, &layer->self, m->config->decoder_heads, &inputs->decoder_self);
    struct tensor *input = linear(m, x, &cell->input, NULL);
    struct tensor *forget = linear(m, x, &cell->forget, &cell->forget_bias);
    return project_cell(m, op_ssru(m->graph, input, forget, inputs->sequences), cell);
}

// The probe comes before the attention that it looks at (op_attention_weights).
static void look(struct transformer_probe *probe, struct graph *graph,
                 const struct attention_params *attention) {
    uint32_t head_width = attention->width / attention->num_heads;
    if (graph->status != VKS_OK)
        return;
    const struct attention_weights_params params = {
        .q = attention->q,
        .kv = attention->kv,
        .q_col = attention->q_col + probe->head_idx * head_width,
        .k_col = attention->k_col + probe->head_idx * head_width,
        .head_width = head_width,
        .max_keys = probe->max_source,
        .query_blocks = attention->blocks.queries,
        .key_blocks = attention->blocks.keys,
    };
    probe->weights = op_attention_weights(graph, &params);
}

static struct tensor *cross_attention(const struct transformer *m, struct tensor *x,
                                      struct tensor *memory, uint32_t layer_idx,
                                      const struct attention_blocks *blocks) {
    const struct attention_weights *weights = &m->weights->decoder.layers[layer_idx].cross;
    struct tensor *kv = transformer_memory_kv(m, memory, layer_idx);
    uint32_t width = m->config->width;
    const struct attention_params params = {.q = linear(m, x, &weights->q, &weights->q_bias),
                                            .kv = kv,
                                            .v_col = width,
                                            .width = width,
                                            .num_heads = m->config->decoder_heads,
                                            .blocks = *blocks,
                                            .dropout = m->dropout_attention};
    if (m->probe && m->probe->layer_idx == layer_idx)
        look(m->probe, m->graph, &params);
    return linear(m, op_attention(m->graph, &params), &weights->out, &weights->out_bias);
}

// The first norm of the layer after layer i, or the final norm.
static const struct norm_weights *next_norm(const struct stack_weights *stack, uint32_t i) {
    return i + 1 < stack->num_layers ? &stack->layers[i + 1].self_norm : &stack->final_norm;
}

struct tensor *transformer_encode(const struct transformer *m, const struct batch_inputs *inputs) {
    const struct stack_weights *stack = &m->weights->encoder;
    struct stream stream;
    begin(&stream, m, embed(m, stack, &inputs->source, m->dropout_src),
          &stack->layers[0].self_norm);
    for (uint32_t i = 0; i < stack->num_layers; i++) {
        const struct layer_weights *layer = &stack->layers[i];
        add(&stream,
            self_attention(m, stream.input, &layer->self, m->config->num_heads,
                           &inputs->encoder_self),
            &layer->self_norm, &layer->ffn_norm, false);
        add(&stream, feed_forward(m, stream.input, layer), &layer->ffn_norm, next_norm(stack, i),
            i + 1 == stack->num_layers);
    }
    return stream.input;
}

struct tensor *transformer_memory_kv(const struct transformer *m, struct tensor *memory,
                                     uint32_t layer_idx) {
    const struct attention_weights *weights = &m->weights->decoder.layers[layer_idx].cross;
    return linear(m, memory, &weights->kv, &weights->kv_bias);
}

struct tensor *transformer_decode(const struct transformer *m, struct tensor *memory,
                                  const struct batch_inputs *inputs) {
    const struct stack_weights *stack = &m->weights->decoder;
    struct stream stream;
    begin(&stream, m, embed(m, stack, &inputs->target, m->dropout_tgt),
          &stack->layers[0].self_norm);
    for (uint32_t i = 0; i < stack->num_layers; i++) {
        const struct layer_weights *layer = &stack->layers[i];
        add(&stream, decoder_self(m, stream.input, layer, inputs), &layer->self_norm,
            &layer->cross_norm, false);
        add(&stream, cross_attention(m, stream.input, memory, i, &inputs->cross),
            &layer->cross_norm, &layer->ffn_norm, false);
        add(&stream, feed_forward(m, stream.input, layer), &layer->ffn_norm, next_norm(stack, i),
            i + 1 == stack->num_layers);
    }
    return stream.input;
}

struct output_params transformer_output(const struct transformer *m, struct tensor *h) {
    return (struct output_params){
        .h = h,
        .weight = transformer_operand(m, &m->weights->output),
        .bias = m->config->output_bias ? transformer_weight(m, &m->weights->output_bias) : NULL};
}

// Self-attention of one position: keys and values go to the cache first, then all are read.
static struct tensor *step_self(const struct transformer *m, struct tensor *x,
                                const struct step_inputs *inputs, uint32_t layer_idx) {
    const struct attention_weights *weights = &m->weights->decoder.layers[layer_idx].self;
    uint32_t width = m->config->width;
    struct tensor *qkv = linear(m, x, &weights->q, &weights->q_bias);
    op_scatter_rows(m->graph, qkv, width, inputs->cache_places, inputs->self_caches[layer_idx]);
    const struct attention_step_params params = {.q = qkv,
                                                 .kv = inputs->self_caches[layer_idx],
                                                 .width = width,
                                                 .num_heads = m->config->decoder_heads,
                                                 .ranges = inputs->self_ranges,
                                                 .cache_rows = inputs->cache_rows};
    return linear(m, op_attention_step(m->graph, &params), &weights->out, &weights->out_bias);
}

static struct tensor *step_cell(const struct transformer *m, struct tensor *x,
                                const struct step_inputs *inputs, uint32_t layer_idx) {
    const struct cell_weights *weights = &m->weights->decoder.layers[layer_idx].cell;
    const struct ssru_step_params params = {
        .x = linear(m, x, &weights->input, NULL),
        .f = linear(m, x, &weights->forget, &weights->forget_bias),
        .ranges = inputs->self_ranges,
        .cache_rows = inputs->cache_rows,
        .places = inputs->cache_places,
        .cache = inputs->self_caches[layer_idx]};
    return project_cell(m, op_ssru_step(m->graph, &params), weights);
}

static struct tensor *step_cross(const struct transformer *m, struct tensor *x,
                                 const struct step_inputs *inputs, uint32_t layer_idx) {
    const struct attention_weights *weights = &m->weights->decoder.layers[layer_idx].cross;
    const struct attention_step_params params = {.q = linear(m, x, &weights->q, &weights->q_bias),
                                                 .kv = inputs->memory_kvs[layer_idx],
                                                 .width = m->config->width,
                                                 .num_heads = m->config->decoder_heads,
                                                 .ranges = inputs->cross_ranges};
    return linear(m, op_attention_step(m->graph, &params), &weights->out, &weights->out_bias);
}

struct tensor *transformer_step(const struct transformer *m, const struct step_inputs *inputs) {
    const struct stack_weights *stack = &m->weights->decoder;
    const struct sequence_inputs sequence = {.tokens = inputs->tokens,
                                             .positions = inputs->positions};
    struct stream stream;
    begin(&stream, m, embed(m, stack, &sequence, 0), &stack->layers[0].self_norm);
    for (uint32_t i = 0; i < stack->num_layers; i++) {
        const struct layer_weights *layer = &stack->layers[i];
        add(&stream,
            m->config->decoder_cell == VKS_CELL_SSRU ? step_cell(m, stream.input, inputs, i)
                                                     : step_self(m, stream.input, inputs, i),
            &layer->self_norm, &layer->cross_norm, false);
        add(&stream, step_cross(m, stream.input, inputs, i), &layer->cross_norm, &layer->ffn_norm,
            false);
        add(&stream, feed_forward(m, stream.input, layer), &layer->ffn_norm, next_norm(stack, i),
            i + 1 == stack->num_layers);
    }
    return stream.input;
}
