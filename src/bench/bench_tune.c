// Tiles for all products of a model's training and decoding.
#include "base/log.h"
#include "base/memory.h"
#include "bench/endless.h"
#include "bench/timing.h"
#include "model/loss.h"
#include "ops/tiles.h"

#include <stdlib.h>

static enum vks_status tune_training(struct vks_model *model, uint32_t words) {
    struct loss_program loss;
    const struct loss_params params = {
        .config = &model->config,
        .weights = &model->weights,
        .capacity = {words, words, words},
        .with_gradient = true,
        .program = {.num_slots = 1},
    };
    TRY(model_prepare_training(model, PARTS_ADAM));
    TRY(loss_program_init(model->device, &params, &loss));
    loss_program_finish(&loss);
    return VKS_OK;
}

// Hypotheses of a step, as many as programs of vkseq translate are built for.
static enum vks_status tune_decoding(struct vks_model *model, uint32_t num_rows) {
    struct step_decoder decoder;
    const struct step_capacity needed = {.num_src = 32 * num_rows,
                                         .num_sentences = num_rows,
                                         .num_steps = 1,
                                         .num_cache_rows = num_rows,
                                         .num_positions = 32};
    enum vks_status status = endless_decoder_init(model, 1, &decoder);
    if (status == VKS_OK)
        status = step_decoder_reserve(&decoder, &needed);
    step_decoder_finish(&decoder);
    return status;
}

static enum vks_status list_choices(const struct tuning *tuning, struct vks_tile_choice **choices) {
    static const char *const layouts[] = {"NT", "NN", "TN"};
    struct vks_tile_choice *list = memory_calloc(tuning->num + 1, sizeof *list);
    if (!list)
        return VKS_ERR_OOM;
    for (size_t i = 0; i < tuning->num; i++) {
        struct tile_shape shape;
        const struct tuning_entry *entry = &tuning->entries[i];
        tile_shape_of_key(entry->key, &shape);
        list[i] = (struct vks_tile_choice){.layout = layouts[shape.layout],
                                           .rows = shape.rows,
                                           .cols = shape.cols,
                                           .n = shape.n,
                                           .tile = tile_name(entry->choice)};
    }
    *choices = list;
    return VKS_OK;
}

enum vks_status vks_tune(struct vks_model *model, uint32_t mini_batch_words,
                         struct vks_tile_choice **choices, size_t *num_choices) {
    static const uint32_t num_rows[] = {4, 16, 64, 256};
    struct vks_device *device = model->device;
    bool was_tuned = device->is_tuned;
    if (device->has_fixed_tiles) {
        log_error(device->log, "VKSEQ_TILES fixes the tiles: there is nothing to choose");
        return VKS_ERR_ARGUMENT;
    }
    tuning_finish(device);
    device->is_tuned = true;
    enum vks_status status = tune_training(model, mini_batch_words);
    for (size_t i = 0; i < sizeof num_rows / sizeof *num_rows && status == VKS_OK; i++)
        status = tune_decoding(model, num_rows[i]);
    device->is_tuned = was_tuned;
    if (status == VKS_OK)
        status = list_choices(&device->tuning, choices);
    if (status == VKS_OK) {
        *num_choices = device->tuning.num;
        tuning_save(device);
    }
    return status;
}
