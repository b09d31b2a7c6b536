#include "train/updater.h"

#include "base/log.h"

#include <string.h>

enum vks_status updater_init(struct parameter_store *store, const struct optimizer_params *params,
                             struct updater *updater) {
    return updater_init_as(store, params, &(struct program_params){0}, updater);
}

enum vks_status updater_init_as(struct parameter_store *store,
                                const struct optimizer_params *params,
                                const struct program_params *program, struct updater *updater) {
    memset(updater, 0, sizeof *updater);
    updater->device = store->device;
    struct graph *graph = NULL;
    enum vks_status status;
    TRY_GOTO(
        status,
        buffer_init(store->device, BUFFER_DEVICE, STATE_WORDS * sizeof(uint32_t), &updater->state),
        failed);
    const struct vk_range range = {&updater->state, 0, STATE_WORDS * sizeof(uint32_t)};
    TRY_GOTO(status, buffer_fill(store->device, range, 0), failed);
    if (params->scaling.multiplier > 0) {
        const struct vk_range scale = {&updater->state, STATE_COST_SCALE * sizeof(uint32_t),
                                       sizeof(float)};
        TRY_GOTO(status, buffer_write(store->device, scale, &params->scaling.factor), failed);
    }
    TRY_GOTO(status, graph_create(store->device, &graph), failed);
    struct tensor *state = graph_stored(graph, range, graph_dim_fixed(graph, 1), STATE_WORDS);
    updater->report = op_optimizer(graph, store, state, params);
    TRY_GOTO(status, program_create(&graph, program, &updater->program), failed);
    return VKS_OK;
failed:
    updater_finish(updater);
    return status;
}

void updater_finish(struct updater *updater) {
    program_destroy(&updater->program);
    if (updater->device)
        buffer_finish(updater->device, &updater->state);
}

enum vks_status updater_submit(struct updater *updater, uint32_t slot,
                               const struct update_step *step) {
    program_set_float(updater->program, slot, HEADER_RATE, step->rate);
    program_set_float(updater->program, slot, HEADER_GRADIENT_SCALE, step->gradient_scale);
    program_set_float(updater->program, slot, HEADER_CLIP, step->clip);
    return program_submit(updater->program, slot);
}

enum vks_status updater_wait(struct updater *updater, uint32_t slot, struct update_report *report) {
    TRY(program_wait(updater->program, slot));
    const uint32_t *words = program_output(updater->program, slot, updater->report);
    report->updates = words[STATE_UPDATES];
    report->skipped = words[STATE_SKIPPED];
    report->is_skipped = words[STATE_SKIP] != 0;
    report->is_scale_lowered = words[STATE_SCALE_LOWERED] != 0;
    report->skipped_in_a_row = words[STATE_SKIPPED_IN_A_ROW];
    report->halvings = words[STATE_HALVINGS];
    memcpy(&report->norm, &words[STATE_NORM], sizeof report->norm);
    memcpy(&report->cost_scale, &words[STATE_COST_SCALE], sizeof report->cost_scale);
    return VKS_OK;
}

enum vks_status updater_read_state(struct updater *updater, uint32_t words[STATE_WORDS]) {
    return buffer_read(updater->device,
                       (struct vk_range){&updater->state, 0, STATE_WORDS * sizeof *words}, words);
}

enum vks_status updater_write_state(struct updater *updater, const uint32_t words[STATE_WORDS]) {
    return buffer_write(updater->device,
                        (struct vk_range){&updater->state, 0, STATE_WORDS * sizeof *words}, words);
}
