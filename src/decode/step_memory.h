// What a model remembers on the device while it decodes: keys and values of source tokens, and what
// each position of a hypothesis leaves to later ones, which are keys and values or a cell's state.
#ifndef DECODE_STEP_MEMORY_H
#define DECODE_STEP_MEMORY_H

#include "decode/step_decoder.h"

// ELEMENT_... of the model's activations, keys and values.
uint32_t step_memory_element(const struct step_model *model);
// Of a position of a hypothesis, in one layer.
uint64_t step_memory_cache_row_bytes(const struct step_model *model);

// Room for what a capacity says; after a failure there is something to release. Errors: those of
// buffer_init.
enum vks_status step_memory_allocate(struct step_model *model,
                                     const struct step_capacity *capacity);
void step_memory_release(struct step_model *model);

// Of a layer: [num_cache_rows, 2 D], of cells [num_cache_rows, D]; and [num_src, 2 D].
struct tensor *step_memory_cache(const struct step_model *model, struct graph *graph,
                                 const struct step_capacity *capacity, uint32_t layer_idx);
struct tensor *step_memory_source(const struct step_model *model, struct graph *graph,
                                  const struct step_capacity *capacity, uint32_t layer_idx);

#endif
