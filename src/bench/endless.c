#include "bench/endless.h"

enum vks_status endless_decoder_init(struct vks_model *model, uint32_t beam_size,
                                     struct step_decoder *decoder) {
    const struct vks_model_config *config = &model->config;
    const struct token_list eos = {&config->eos_id, 1};
    const struct step_params params = {.models = &model,
                                       .num_models = 1,
                                       .rule = {.rule = BEAM_RULE_MARIAN,
                                                .k = beam_size,
                                                .n_best = 1,
                                                .start_alive = 1,
                                                .start_token = config->start_id,
                                                .eos_id = config->eos_id,
                                                .position_offset = config->position_offset},
                                       .suppressed = &eos,
                                       .num_suppressed = 1,
                                       .cache_bytes = model->device->info.memory_bytes / 2};
    return step_decoder_init(&params, decoder);
}
