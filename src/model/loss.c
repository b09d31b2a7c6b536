#include "model/loss.h"

#include "base/check.h"
#include "base/log.h"
#include "ops/alignment.h"
#include "ops/copy.h"
#include "ops/optimizer.h"
#include "ops/output.h"

#include <string.h>

static void build_alignment(struct graph *graph, const struct loss_alignment *alignment,
                            struct tensor *weights, struct tensor *state,
                            struct loss_program *loss) {
    uint32_t words = alignment_link_words(alignment->max_source);
    if (alignment->with_weights)
        loss->weights = op_copy_out(graph, weights);
    if (!alignment->is_guided)
        return;
    loss->links = graph_input(graph, loss->inputs.target.num_tokens, words);
    const struct alignment_loss_params params = {.weights = weights,
                                                 .links = loss->links,
                                                 .cost = alignment->cost,
                                                 .weight = alignment->weight,
                                                 .state = state};
    loss->link_total = op_sum(graph, op_alignment_loss(graph, &params));
}

static void build(struct graph *graph, const struct loss_params *params,
                  struct loss_program *loss) {
    const struct loss_alignment *alignment = params->alignment;
    struct transformer_probe probe = {0};
    if (alignment)
        probe = (struct transformer_probe){.layer_idx = alignment->layer_idx,
                                           .head_idx = alignment->head_idx,
                                           .max_source = alignment->max_source};
    const struct transformer transformer = {.graph = graph,
                                            .config = params->config,
                                            .weights = params->weights,
                                            .dropout = params->dropout,
                                            .dropout_attention = params->dropout_attention,
                                            .dropout_ffn = params->dropout_ffn,
                                            .dropout_src = params->dropout_src,
                                            .dropout_tgt = params->dropout_tgt,
                                            .probe = alignment ? &probe : NULL};
    graph->element = params->element;
    struct tensor *state = NULL;
    if (params->state)
        state = graph_stored(graph, (struct vk_range){params->state, 0, STATE_WORDS * 4},
                             graph_dim_fixed(graph, 1), STATE_WORDS);
    feed_declare(graph, params->config, &params->capacity, params->with_gradient, &loss->inputs);
    struct tensor *memory = transformer_encode(&transformer, &loss->inputs);
    struct tensor *h = transformer_decode(&transformer, memory, &loss->inputs);
    if (graph->status != VKS_OK)
        return;
    if (alignment)
        build_alignment(graph, alignment, probe.weights, state, loss);
    if (params->with_weights)
        loss->label_weights = graph_input(graph, loss->inputs.target.num_tokens, 1);
    const struct output_params output = transformer_output(&transformer, h);
    if (params->with_logits)
        loss->logits = op_copy_out(graph, op_logits(graph, &output));
    const struct cross_entropy_params cross_entropy = {
        .output = output,
        .labels = loss->inputs.labels,
        .weights = loss->label_weights,
        .state = state,
        .pad = params->config->pad_in_softmax ? CROSS_ENTROPY_NO_PAD : params->config->pad_id,
        .smoothing = params->label_smoothing,
        .with_gradient = params->with_gradient,
    };
    struct tensor *losses = op_cross_entropy(graph, &cross_entropy);
    loss->total = op_sum(graph, losses);
    if (params->with_row_losses)
        loss->row_losses = op_copy_out(graph, losses);
    if (params->with_gradient)
        graph_backward(graph);
}

enum vks_status loss_program_init(struct vks_device *device, const struct loss_params *params,
                                  struct loss_program *loss) {
    memset(loss, 0, sizeof *loss);
    loss->pad_id = params->config->pad_id;
    loss->max_source = params->alignment ? params->alignment->max_source : UINT32_MAX;
    loss->with_gradient = params->with_gradient;
    struct graph *graph;
    TRY(graph_create(device, &graph));
    build(graph, params, loss);
    TRY(program_create(&graph, &params->program, &loss->program));
    enum vks_status status = feed_scratch_init(&params->capacity, &loss->scratch);
    if (status != VKS_OK)
        program_destroy(&loss->program);
    return status;
}

enum vks_status loss_program_measure(struct vks_device *device, const struct loss_params *params,
                                     uint64_t *bytes) {
    struct loss_program loss = {0};
    struct graph *graph;
    TRY(graph_create(device, &graph));
    graph->is_trial = true;
    build(graph, params, &loss);
    return program_measure(&graph, &params->program, bytes);
}

void loss_program_finish(struct loss_program *loss) {
    program_destroy(&loss->program);
    feed_scratch_finish(&loss->scratch);
}

static void write_links(struct loss_program *loss, uint32_t slot, const struct loss_batch *batch) {
    const struct tensor *links = loss->links;
    uint32_t *words = program_input(loss->program, slot, links);
    for (size_t row = 0; row < batch->target.offsets[batch->target.num_sequences]; row++)
        memcpy(words + row * links->stride, batch->links + row * links->cols,
               links->cols * sizeof *words);
}

enum vks_status loss_program_submit(struct loss_program *loss, uint32_t slot,
                                    const struct loss_batch *batch, const struct loss_step *step) {
    struct program *program = loss->program;
    for (uint32_t i = 0; i < batch->source.num_sequences; i++)
        CHECK(batch->source.offsets[i + 1] - batch->source.offsets[i] <= loss->max_source);
    feed_write(program, slot, &loss->inputs, &batch->source, &batch->target, batch->labels);
    if (loss->with_gradient) {
        feed_write_segments(program, slot, &loss->inputs.source, &batch->source, loss->pad_id,
                            &loss->scratch);
        feed_write_segments(program, slot, &loss->inputs.target, &batch->target, loss->pad_id,
                            &loss->scratch);
    }
    if (loss->label_weights)
        memcpy(program_input(program, slot, loss->label_weights), batch->weights,
               batch->target.offsets[batch->target.num_sequences] * sizeof(float));
    if (loss->links)
        write_links(loss, slot, batch);
    program_set_uint(program, slot, HEADER_SEED, step->seed);
    program_set_uint(program, slot, HEADER_STEP, step->step);
    program_set_uint(program, slot, HEADER_MICRO, step->micro);
    program_set_float(program, slot, HEADER_LOSS_SCALE, 1.0f);
    return program_submit(program, slot);
}

enum vks_status loss_program_wait(struct loss_program *loss, uint32_t slot, double *total) {
    TRY(program_wait(loss->program, slot));
    *total = (double)*(const float *)program_output(loss->program, slot, loss->total);
    return VKS_OK;
}

double loss_program_link_total(const struct loss_program *loss, uint32_t slot) {
    return loss->link_total
               ? (double)*(const float *)program_output(loss->program, slot, loss->link_total)
               : 0;
}
