#include "train/trainer_object.h"

#include "base/check.h"
#include "base/log.h"
#include "base/platform.h"
#include "train/schedule.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static void begin_display(struct vks_trainer *trainer) {
    memset(&trainer->display, 0, sizeof trainer->display);
    trainer->display.begin_s = platform_now_s();
}

// 1273373 as "1,273,373".
static const char *grouped(uint64_t value, char text[32]) {
    char digits[32];
    int num = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value), used = 0;
    for (int i = 0; i < num; i++) {
        if (i > 0 && (num - i) % 3 == 0)
            text[used++] = ',';
        text[used++] = digits[i];
    }
    text[used] = '\0';
    return text;
}

// Marian's line, which its log readers parse.
static void log_progress(struct vks_trainer *trainer, const struct pending_update *update) {
    const struct display *display = &trainer->display;
    char sentences[32], tokens[32], last[32], total[32];
    double seconds = platform_now_s() - display->begin_s;
    log_info(trainer->log,
             "Ep. %llu : Up. %llu : Sen. %s : Cost %.8f * %s @ %s after %s : Time %.2fs : %.2f "
             "words/s : gNorm %.4f : L.r. %.4e",
             (unsigned long long)(update->epoch + 1), (unsigned long long)trainer->state.updates,
             grouped(trainer->state.sentences_in_epoch, sentences),
             display->loss / (double)display->num_tokens, grouped(display->num_tokens, tokens),
             grouped(update->num_tokens, last), grouped(trainer->state.target_tokens, total),
             seconds, (double)display->num_tokens / seconds, (double)trainer->last_report.norm,
             update->rate);
    const struct event_value values[] = {
        {"train/cost", display->loss / (double)display->num_tokens},
        {"train/gradient_norm", (double)trainer->last_report.norm},
        {"train/learn_rate", update->rate},
        {"train/words_per_second", (double)display->num_tokens / seconds},
        {"train/epoch", (double)(update->epoch + 1)},
    };
    history_add(trainer->history, trainer->state.updates, values, COUNT_OF(values));
    begin_display(trainer);
}

static enum vks_status check_skipped(struct vks_trainer *trainer, uint64_t step) {
    if (!trainer->last_report.is_skipped) {
        trainer->num_skipped_in_a_row = 0;
        return VKS_OK;
    }
    log_warn(trainer->log,
             "batch %llu: the gradient is not finite (norm %f); its update is skipped",
             (unsigned long long)step, (double)trainer->last_report.norm);
    if (++trainer->num_skipped_in_a_row < TRAINER_MAX_SKIPPED)
        return VKS_OK;
    log_error(trainer->log,
              "training diverged: %d gradients in a row were not finite; lower --learn-rate or go "
              "on from an earlier training state",
              TRAINER_MAX_SKIPPED);
    return VKS_ERR_DIVERGED;
}

static void call_back(struct vks_trainer *trainer, const struct pending_update *update) {
    if (!trainer->params.on_update)
        return;
    const struct vks_train_progress progress = {
        .epoch = update->epoch + 1,
        .update = trainer->state.updates,
        .target_tokens = trainer->state.target_tokens,
        .planned_updates = trainer->planned_updates,
        .cost = trainer->last_cost,
        .tokens_per_second = update->num_tokens / (platform_now_s() - trainer->last_call_s),
        .learn_rate = update->rate,
    };
    trainer->last_call_s = platform_now_s();
    if (!trainer->params.on_update(trainer->params.user, &progress))
        trainer->is_stopped = true;
}

// Waits for a slot's update and takes note of what it gave.
static enum vks_status collect(struct vks_trainer *trainer, uint32_t slot) {
    struct pending_update *update = &trainer->pending[slot];
    double total;
    if (!update->is_pending)
        return VKS_OK;
    update->is_pending = false;
    TRY(loss_program_wait(&trainer->loss, slot, &total));
    TRY(updater_wait(&trainer->updater, slot, &trainer->last_report));
    TRY(check_skipped(trainer, trainer->state.steps));
    trainer->state.updates = trainer->last_report.updates;
    trainer->last_cost = total / update->num_tokens;
    trainer->display.loss += total;
    trainer->display.num_tokens += update->num_tokens;
    trainer->display.num_updates++;
    if (trainer->params.disp_freq && trainer->state.updates % trainer->params.disp_freq == 0)
        log_progress(trainer, update);
    call_back(trainer, update);
    return VKS_OK;
}

static enum vks_status collect_all(struct vks_trainer *trainer) {
    for (uint64_t i = 0; i < TRAINER_SLOTS; i++)
        TRY(collect(trainer, (uint32_t)((trainer->state.steps + i) % TRAINER_SLOTS)));
    return VKS_OK;
}

static void dump_batch(struct vks_trainer *trainer, const struct batch *batch) {
    for (uint32_t i = 0; i < batch->num_sequences && trainer->batches; i++) {
        const struct pair_place *place = &batch->places[i];
        if (trainer->data.encoder.num_sets > 1)
            fprintf(trainer->batches, "%u:", place->set_idx);
        fprintf(trainer->batches, "%u%c", place->line - 1,
                i + 1 == batch->num_sequences ? '\n' : ' ');
    }
}

static enum vks_status end_text(struct vks_trainer *trainer) {
    TRY(batcher_status(trainer->data.batcher));
    log_info(trainer->log, "The text on standard input has ended: training stops");
    trainer->has_ended = true;
    return VKS_OK;
}

// Gives the device the next batch, with its update; the slot is free.
static enum vks_status submit(struct vks_trainer *trainer, uint32_t slot) {
    struct training_state *state = &trainer->state;
    const struct batch *batch = batcher_next(trainer->data.batcher);
    if (!batch)
        return end_text(trainer);
    const struct loss_batch fed = {
        .source = {batch->src, batch->src_offsets, batch->num_sequences},
        .target = {batch->tgt_in, batch->tgt_offsets, batch->num_sequences},
        .labels = batch->tgt_out,
        .weights = batch->weights};
    const struct loss_step step = {.seed = state->seed, .step = (uint32_t)state->steps};
    state->steps++;
    const struct schedule schedule = {.kind = (enum vks_schedule)state->schedule,
                                      .peak = (double)trainer->params.learn_rate,
                                      .warmup = state->warmup,
                                      .updates = state->schedule_updates};
    double rate = schedule_rate(&schedule, state->steps);
    dump_batch(trainer, batch);
    TRY(loss_program_submit(&trainer->loss, slot, &fed, &step));
    TRY(updater_submit(&trainer->updater, slot,
                       &(struct update_step){.rate = (float)rate,
                                             .gradient_scale = 1.0f / (float)batch->num_tgt,
                                             .clip = trainer->params.clip_norm}));
    if (state->pool_idx == 0 && state->batch_idx == 0)
        state->sentences_in_epoch = 0;
    state->target_tokens += batch->num_tgt;
    state->sentences_in_epoch += batch->num_sequences;
    state->epoch = batch->last_of_epoch ? batch->epoch + 1 : batch->epoch;
    state->pool_idx = batch->last_of_epoch ? 0 : batch->pool_idx;
    state->batch_idx = batch->last_of_epoch ? 0 : batch->batch_idx + 1;
    trainer->pending[slot] = (struct pending_update){.is_pending = true,
                                                     .num_tokens = batch->num_tgt,
                                                     .num_sequences = batch->num_sequences,
                                                     .epoch = batch->epoch,
                                                     .rate = rate};
    return VKS_OK;
}

static enum vks_status validate(struct vks_trainer *trainer) {
    return trainer->valid.corpus ? validator_run(trainer) : VKS_OK;
}

static enum vks_status save_state(struct vks_trainer *trainer) {
    struct training_state *state = &trainer->state;
    TRY(updater_read_state(&trainer->updater, state->device_words));
    TRY(training_state_save(state, &trainer->model->weights, trainer->state_dir,
                            max_u32(trainer->params.keep_last, 1), trainer->log));
    trainer->has_state = true;
    trainer->state_steps = state->steps;
    trainer->num_losses = 0;
    return VKS_OK;
}

static enum vks_status save(struct vks_trainer *trainer) {
    uint64_t steps = trainer->state.steps;
    if (!trainer->has_state || trainer->state_steps != steps)
        TRY(save_state(trainer));
    if (trainer->has_model && trainer->model_steps == steps)
        return VKS_OK;
    TRY(vks_model_save(trainer->model, trainer->params.model_dir));
    trainer->has_model = true;
    trainer->model_steps = steps;
    log_info(trainer->log, "Saving model and training state to %s", trainer->params.model_dir);
    return VKS_OK;
}

static bool is_due(uint32_t freq, uint64_t steps) {
    return freq > 0 && steps % freq == 0;
}

static bool is_finished(const struct vks_trainer *trainer) {
    const struct vks_trainer_params *p = &trainer->params;
    const struct training_state *state = &trainer->state;
    return trainer->is_stopped || trainer->has_ended ||
           valid_metrics_are_stalled(&state->metrics, p->early_stopping, p->early_stopping_on) ||
           (p->after_updates && state->steps >= p->after_updates) ||
           (p->after_epochs && state->epoch >= p->after_epochs) ||
           (p->after_target_tokens && state->target_tokens >= p->after_target_tokens) ||
           (p->max_seconds > 0 && platform_now_s() - trainer->begin_s >= p->max_seconds);
}

// Trains to the end, if the device lasts. There is a state to go back to from the beginning on.
static enum vks_status train(struct vks_trainer *trainer) {
    const struct vks_trainer_params *p = &trainer->params;
    const struct training_state *state = &trainer->state;
    // After a loss, the validation at the end may be one of the things that were lost.
    bool is_validated = trainer->num_losses == 0 || is_due(p->valid_freq, state->steps);
    uint64_t validated_steps = is_validated ? state->steps : UINT64_MAX;
    begin_display(trainer);
    if (!trainer->has_state)
        TRY(save_state(trainer));
    while (!is_finished(trainer)) {
        uint32_t slot = (uint32_t)(state->steps % TRAINER_SLOTS);
        TRY(submit(trainer, slot));
        if (trainer->has_ended)
            break;
        TRY(collect(trainer, (slot + 1) % TRAINER_SLOTS));
        if (is_due(p->valid_freq, state->steps)) {
            TRY(collect_all(trainer));
            TRY(validate(trainer));
            validated_steps = state->steps;
        }
        if (is_due(p->save_freq, state->steps)) {
            TRY(collect_all(trainer));
            TRY(save(trainer));
        }
    }
    TRY(collect_all(trainer));
    if (valid_metrics_are_stalled(&state->metrics, p->early_stopping, p->early_stopping_on))
        log_info(trainer->log, "[valid] No new best in %u validations: training stops",
                 p->early_stopping);
    if (validated_steps != state->steps)
        TRY(validate(trainer));
    if (trainer->batches && fflush(trainer->batches) != 0) {
        log_error(trainer->log, "%s: cannot be written: %s", p->dump_batches, strerror(errno));
        return VKS_ERR_IO;
    }
    return save(trainer);
}

static bool may_recover(struct vks_trainer *trainer) {
    bool may = trainer->has_state && trainer->num_losses < TRAINER_MAX_LOSSES;
    trainer->num_losses++;
    if (may)
        log_warn(trainer->log,
                 "The device was lost after update %llu; it is opened again, and training goes on "
                 "from its last state",
                 (unsigned long long)trainer->state.updates);
    else
        log_error(trainer->log, "the device was lost %u times since the last save; training ends",
                  trainer->num_losses);
    return may;
}

enum vks_status vks_trainer_run(struct vks_trainer *trainer) {
    trainer->is_stopped = false;
    trainer->num_losses = 0;
    trainer->begin_s = trainer->last_call_s = platform_now_s();
    enum vks_status status = train(trainer);
    while (status == VKS_ERR_DEVICE_LOST && may_recover(trainer)) {
        status = trainer_recover(trainer);
        if (status == VKS_OK)
            status = train(trainer);
    }
    return status;
}
