#include "model/half_weights.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "graph/program.h"
#include "model/transformer.h"
#include "ops/conversion.h"

#include <stdlib.h>

uint32_t precision_element(enum vks_precision precision) {
    static const uint32_t elements[] = {ELEMENT_F32, ELEMENT_F16, ELEMENT_BF16};
    CHECK(precision <= VKS_BFLOAT16);
    return elements[precision];
}

// What a model lacks has no rows; tied matrices are one.
static enum vks_status reserve(struct half_weights *halves, const struct parameter *original) {
    struct half_weight *weight = &halves->copies[original->idx];
    if (original->rows == 0 || weight->original)
        return VKS_OK;
    weight->original = original;
    return parameter_store_reserve(&halves->store, original->rows, original->cols, &weight->copy);
}

static enum vks_status reserve_stack(struct half_weights *halves,
                                     const struct stack_weights *stack) {
    for (uint32_t i = 0; i < stack->num_layers; i++) {
        const struct layer_weights *layer = &stack->layers[i];
        const struct parameter *const operands[] = {
            &layer->self.q,   &layer->self.out, &layer->cell.input, &layer->cell.forget,
            &layer->cell.out, &layer->cross.q,  &layer->cross.kv,   &layer->cross.out,
            &layer->fc1,      &layer->fc2};
        for (size_t j = 0; j < COUNT_OF(operands); j++)
            TRY(reserve(halves, operands[j]));
    }
    return VKS_OK;
}

static enum vks_status allocate(struct half_weights *halves, const struct weights *weights) {
    halves->copies = memory_calloc(weights->num_parameters, sizeof *halves->copies);
    if (!halves->copies)
        return VKS_ERR_OOM;
    TRY(reserve_stack(halves, &weights->encoder));
    TRY(reserve_stack(halves, &weights->decoder));
    TRY(reserve(halves, &weights->output));
    return parameter_store_allocate(&halves->store, PARTS_RUN);
}

// Converts everything in one program.
static enum vks_status fill(struct half_weights *halves, const struct vks_model_config *config,
                            const struct weights *weights) {
    struct graph *graph;
    struct program *program;
    TRY(graph_create(halves->store.device, &graph));
    const struct transformer transformer = {.graph = graph, .config = config, .weights = weights};
    for (uint32_t i = 0; i < weights->num_parameters; i++) {
        const struct half_weight *weight = &halves->copies[i];
        if (weight->original)
            op_convert_to(graph, transformer_weight(&transformer, weight->original),
                          graph_parameter(graph, &halves->store, &weight->copy));
    }
    TRY(program_create(&graph, &(struct program_params){.num_slots = 1}, &program));
    enum vks_status status = program_submit(program, 0);
    if (status == VKS_OK)
        status = program_wait(program, 0);
    program_destroy(&program);
    return status;
}

enum vks_status half_weights_create(const struct vks_model_config *config,
                                    const struct weights *weights, enum vks_precision precision,
                                    struct half_weights **result) {
    struct half_weights *halves = memory_calloc(1, sizeof *halves);
    if (!halves)
        return VKS_ERR_OOM;
    parameter_store_init(weights->store.device, &halves->store);
    halves->element = halves->store.element = precision_element(precision);
    enum vks_status status = allocate(halves, weights);
    if (status == VKS_OK)
        status = fill(halves, config, weights);
    if (status != VKS_OK)
        half_weights_destroy(&halves);
    else
        *result = halves;
    return status;
}

void half_weights_destroy(struct half_weights **halves_ref) {
    struct half_weights *halves = *halves_ref;
    if (!halves)
        return;
    parameter_store_finish(&halves->store);
    free(halves->copies);
    free(halves);
    *halves_ref = NULL;
}

struct tensor *half_weights_tensor(const struct half_weights *halves, struct graph *graph,
                                   const struct parameter *parameter) {
    const struct half_weight *weight = &halves->copies[parameter->idx];
    CHECK(weight->original);
    return graph->status == VKS_OK ? graph_parameter(graph, &halves->store, &weight->copy) : NULL;
}
