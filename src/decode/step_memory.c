#include "decode/step_memory.h"

#include "base/check.h"
#include "base/log.h"

static bool has_cells(const struct step_model *model) {
    return model->model->config.decoder_cell == VKS_CELL_SSRU;
}

uint32_t step_memory_element(const struct step_model *model) {
    return model->halves ? model->halves->element : ELEMENT_F32;
}

// A cell's state is a sum over steps, and those are float32.
static uint32_t cache_element(const struct step_model *model) {
    return has_cells(model) ? ELEMENT_F32 : step_memory_element(model);
}

static uint32_t cache_cols(const struct step_model *model) {
    return (has_cells(model) ? 1 : 2) * model->model->config.width;
}

uint64_t step_memory_cache_row_bytes(const struct step_model *model) {
    return row_stride(model->model->device, cache_cols(model)) *
           element_bytes(cache_element(model));
}

static uint64_t source_row_bytes(const struct step_model *model) {
    return row_stride(model->model->device, 2 * model->model->config.width) *
           element_bytes(step_memory_element(model));
}

enum vks_status step_memory_allocate(struct step_model *model,
                                     const struct step_capacity *capacity) {
    struct vks_device *device = model->model->device;
    for (uint32_t i = 0; i < model->model->config.decoder_layers; i++) {
        TRY(buffer_init(device, BUFFER_DEVICE,
                        capacity->num_cache_rows * step_memory_cache_row_bytes(model),
                        &model->self_caches[i]));
        TRY(buffer_init(device, BUFFER_DEVICE, capacity->num_src * source_row_bytes(model),
                        &model->memory_kvs[i]));
    }
    return VKS_OK;
}

void step_memory_release(struct step_model *model) {
    for (uint32_t i = 0; i < WEIGHTS_MAX_LAYERS; i++) {
        buffer_finish(model->model->device, &model->self_caches[i]);
        buffer_finish(model->model->device, &model->memory_kvs[i]);
    }
}

// A buffer of rows as a tensor.
static struct tensor *rows_tensor(struct graph *graph, const struct vk_buffer *buffer,
                                  uint32_t element, uint32_t num_rows, uint32_t cols) {
    struct vk_range range = {buffer, 0, buffer->bytes};
    return graph_stored_as(graph, element, range, graph_dim_fixed(graph, num_rows), cols);
}

struct tensor *step_memory_cache(const struct step_model *model, struct graph *graph,
                                 const struct step_capacity *capacity, uint32_t layer_idx) {
    return rows_tensor(graph, &model->self_caches[layer_idx], cache_element(model),
                       capacity->num_cache_rows, cache_cols(model));
}

struct tensor *step_memory_source(const struct step_model *model, struct graph *graph,
                                  const struct step_capacity *capacity, uint32_t layer_idx) {
    return rows_tensor(graph, &model->memory_kvs[layer_idx], step_memory_element(model),
                       capacity->num_src, 2 * model->model->config.width);
}
