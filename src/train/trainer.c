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
static void log_progress(struct vks_trainer *trainer, const struct pending_batch *update) {
    const struct display *display = &trainer->display;
    char sentences[32], tokens[32], last[32], total[32], rate[32] = "";
    double seconds = platform_now_s() - display->begin_s;
    if (trainer->params.lr_report)
        snprintf(rate, sizeof rate, " : L.r. %.4e", trainer->last_rate);
    log_info(trainer->log,
             "Ep. %llu : Up. %llu : Sen. %s : Cost %.8f * %s @ %s after %s : Time %.2fs : %.2f "
             "words/s : gNorm %.4f%s",
             (unsigned long long)(update->epoch + 1), (unsigned long long)trainer->state.updates,
             grouped(trainer->state.sentences_in_epoch, sentences),
             display->loss / (double)display->num_tokens, grouped(display->num_tokens, tokens),
             grouped(trainer->last_tokens, last), grouped(trainer->state.target_tokens, total),
             seconds, (double)display->num_tokens / seconds, (double)trainer->last_report.norm,
             rate);
    const struct event_value values[] = {
        {"train/cost", display->loss / (double)display->num_tokens},
        {"train/gradient_norm", (double)trainer->last_report.norm},
        {"train/learn_rate", trainer->last_rate},
        {"train/words_per_second", (double)display->num_tokens / seconds},
        {"train/epoch", (double)(update->epoch + 1)},
        {"train/alignment_cost", display->alignment_cost / (double)display->num_tokens},
    };
    bool is_guided = trainer->alignment.is_guided;
    history_add(trainer->history, trainer->state.updates, values, COUNT_OF(values) - !is_guided);
    begin_display(trainer);
}

// Says that an update was skipped; too many in a row are the end.
static enum vks_status check_skipped(struct vks_trainer *trainer,
                                     const struct pending_batch *update) {
    const struct update_report *report = &trainer->last_report;
    const struct update_sums *sums = &trainer->sums;
    if (!report->is_skipped)
        return VKS_OK;
    if (report->is_scale_lowered)
        log_info(trainer->log,
                 "Ep. %llu : update %llu is skipped, as its gradients overflowed; the scale of "
                 "costs falls to %g",
                 (unsigned long long)(update->epoch + 1), (unsigned long long)update->round,
                 (double)report->cost_scale);
    if (report->is_scale_lowered)
        return VKS_OK;
    log_warn(trainer->log,
             "Ep. %llu : update %llu diverged at batch %llu: cost %f, gNorm %f; it is skipped, and "
             "the learning rate halved to %.4e",
             (unsigned long long)(update->epoch + 1), (unsigned long long)update->round,
             (unsigned long long)(sums->bad_batch ? sums->bad_batch : update->batch_idx + 1),
             fabs(sums->loss / sums->num_tokens), fabs((double)report->norm), trainer->last_rate);
    if (report->skipped_in_a_row < TRAINER_MAX_SKIPPED)
        return VKS_OK;
    log_error(trainer->log,
              "training diverged: %d gradients in a row were not finite; lower --learn-rate or go "
              "on from an earlier training state",
              TRAINER_MAX_SKIPPED);
    return VKS_ERR_DIVERGED;
}

static void call_back(struct vks_trainer *trainer, const struct pending_batch *batch) {
    if (!trainer->params.on_update)
        return;
    const struct vks_train_progress progress = {
        .epoch = batch->epoch + 1,
        .update = trainer->state.updates,
        .target_tokens = trainer->state.target_tokens,
        .planned_updates = trainer->planned_updates,
        .cost = trainer->last_cost,
        .tokens_per_second = batch->num_tokens / (platform_now_s() - trainer->last_call_s),
        .learn_rate = trainer->last_rate,
    };
    trainer->last_call_s = platform_now_s();
    if (!trainer->params.on_update(trainer->params.user, &progress))
        trainer->is_stopped = true;
}

// Waits for the update that a batch has ended, and takes note of what it gave.
static enum vks_status collect_update(struct vks_trainer *trainer, uint32_t slot) {
    const struct pending_batch *update = &trainer->pending[slot];
    struct update_sums *sums = &trainer->sums;
    uint32_t disp_freq = trainer->params.disp_freq;
    TRY(updater_wait(&trainer->updater, slot, &trainer->last_report));
    trainer->last_rate = ldexp(update->rate, -(int)trainer->last_report.halvings);
    TRY(check_skipped(trainer, update));
    trainer->state.updates = trainer->last_report.updates;
    if (!trainer->last_report.is_skipped) {
        trainer->last_cost = sums->loss / sums->num_tokens;
        trainer->last_tokens = sums->num_tokens;
        trainer->display.loss += sums->loss;
        trainer->display.alignment_cost += sums->alignment;
        trainer->display.num_tokens += sums->num_tokens;
        if (disp_freq && trainer->state.updates % disp_freq == 0)
            log_progress(trainer, update);
    }
    *sums = (struct update_sums){0};
    return VKS_OK;
}

// Waits for a slot's batch and takes note of what it gave.
static enum vks_status collect(struct vks_trainer *trainer, uint32_t slot) {
    struct pending_batch *batch = &trainer->pending[slot];
    const struct batch_runner runner = trainer_runner(trainer, false);
    struct batch_sums sums = batch->done;
    if (!batch->is_pending)
        return VKS_OK;
    batch->is_pending = false;
    TRY(batch_wait(&runner, slot, &sums));
    trainer->sums.loss += sums.loss;
    trainer->sums.alignment += sums.alignment;
    trainer->sums.num_tokens += batch->num_tokens;
    if (!isfinite(sums.loss))
        trainer->sums.bad_batch = batch->batch_idx + 1;
    if (batch->round)
        TRY(collect_update(trainer, slot));
    call_back(trainer, batch);
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

static void log_decay(const struct vks_trainer *trainer, const char *when, uint64_t num) {
    log_info(trainer->log, "Decaying the learning rate by %g, to %g of the schedule's, %s %llu",
             (double)trainer->params.lr_decay, trainer->state.decay.factor, when,
             (unsigned long long)num);
}

static bool delay_is_over(const struct vks_trainer *trainer) {
    const struct vks_trainer_params *p = &trainer->params;
    const struct training_state *state = &trainer->state;
    return p->optimizer_delay_words ? state->delayed_words >= p->optimizer_delay_words
                                    : state->num_delayed >= p->optimizer_delay;
}

// Gives the device the update with the gradients that are there.
static enum vks_status submit_update(struct vks_trainer *trainer, uint32_t slot) {
    struct training_state *state = &trainer->state;
    const struct vks_trainer_params *p = &trainer->params;
    const struct schedule schedule = {.kind = (enum vks_schedule)state->schedule,
                                      .peak = (double)p->learn_rate,
                                      .warmup = state->warmup,
                                      .updates = state->schedule_updates};
    state->rounds++;
    double rate = schedule_decayed_rate(&schedule, &state->decay, state->rounds);
    TRY(updater_submit(&trainer->updater, slot,
                       &(struct update_step){.rate = (float)rate,
                                             .gradient_scale = 1.0f / (float)state->delayed_words,
                                             .clip = p->clip_norm}));
    state->num_delayed = state->delayed_words = 0;
    trainer->pending[slot].round = state->rounds;
    trainer->pending[slot].rate = rate;
    if (rate_decay_after_update(p, state->rounds, &state->decay))
        log_decay(trainer, "after update", state->rounds);
    return VKS_OK;
}

// Gives the device the next batch, with an update unless its gradients wait for others; the slot is
// free.
static enum vks_status submit(struct vks_trainer *trainer, uint32_t slot) {
    struct training_state *state = &trainer->state;
    const struct batch *batch = batcher_next(trainer->data.batcher);
    if (!batch)
        return end_text(trainer);
    const struct batch_runner runner = trainer_runner(trainer, false);
    struct batch_sums done;
    const struct loss_step step = {
        .seed = state->seed, .step = (uint32_t)state->steps, .micro = state->num_delayed};
    state->steps++;
    dump_batch(trainer, batch);
    TRY(batch_submit(&runner, slot, batch, &step, &done));
    state->num_delayed++;
    state->delayed_words += batch->num_tgt;
    if (state->pool_idx == 0 && state->batch_idx == 0)
        state->sentences_in_epoch = 0;
    state->target_tokens += batch->num_tgt;
    state->sentences_in_epoch += batch->num_sequences;
    state->epoch = batch->last_of_epoch ? batch->epoch + 1 : batch->epoch;
    state->pool_idx = batch->last_of_epoch ? 0 : batch->pool_idx;
    state->batch_idx = batch->last_of_epoch ? 0 : batch->batch_idx + 1;
    trainer->pending[slot] = (struct pending_batch){.is_pending = true,
                                                    .num_tokens = batch->num_tgt,
                                                    .epoch = batch->epoch,
                                                    .batch_idx = batch->batch_idx,
                                                    .done = done};
    if (delay_is_over(trainer))
        TRY(submit_update(trainer, slot));
    if (batch->last_of_epoch &&
        rate_decay_before_epoch(&trainer->params, state->epoch + 1, state->rounds, &state->decay))
        log_decay(trainer, "before epoch", state->epoch + 1);
    return VKS_OK;
}

// Exchanges the parameters with their averages, if there are any.
static enum vks_status swap_averages(struct vks_trainer *trainer) {
    struct parameter_store *store = &trainer->model->weights.store;
    return trainer->params.exponential_smoothing > 0
               ? parameter_store_swap(store, PART_VALUE, PART_AVERAGE)
               : VKS_OK;
}

// A validation that is not a scheduled one changes nothing that training goes by.
static enum vks_status validate(struct vks_trainer *trainer, bool is_scheduled) {
    const struct vks_trainer_params *p = &trainer->params;
    struct training_state *state = &trainer->state;
    if (!trainer->valid.corpus)
        return VKS_OK;
    struct valid_metrics before = state->metrics;
    TRY(swap_averages(trainer));
    enum vks_status status = validator_run(trainer);
    if (status != VKS_ERR_DEVICE_LOST) {
        enum vks_status swapped = swap_averages(trainer);
        status = status == VKS_OK ? swapped : status;
    }
    if (status != VKS_OK)
        return status;
    uint64_t num_before = valid_metrics_num_stalled(&before, p->early_stopping_on);
    uint64_t num_stalled = valid_metrics_num_stalled(&state->metrics, p->early_stopping_on);
    if (!is_scheduled)
        state->metrics = before;
    else if (num_stalled > num_before &&
             rate_decay_after_validation(p, num_stalled, state->rounds, &state->decay))
        log_decay(trainer, "stalled validations:", num_stalled);
    return VKS_OK;
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
    TRY(swap_averages(trainer));
    enum vks_status status = vks_model_save(trainer->model, trainer->params.model_dir);
    TRY(swap_averages(trainer));
    TRY(status);
    trainer->has_model = true;
    trainer->model_steps = steps;
    log_info(trainer->log, "Saving model and training state to %s", trainer->params.model_dir);
    return VKS_OK;
}

// Saves that were due, but not after an update that was skipped: states from before training
// diverged are not to be driven out.
static enum vks_status save_if_owed(struct vks_trainer *trainer) {
    if (!trainer->owes_save || trainer->last_report.is_skipped)
        return VKS_OK;
    TRY(collect_all(trainer));
    if (trainer->last_report.is_skipped)
        return VKS_OK;
    trainer->owes_save = false;
    return save(trainer);
}

// Whether an update has just been made after which something is to happen.
static bool is_due(const struct vks_trainer *trainer, uint32_t freq) {
    return freq > 0 && trainer->state.num_delayed == 0 && trainer->state.rounds % freq == 0;
}

static bool is_finished(const struct vks_trainer *trainer) {
    const struct vks_trainer_params *p = &trainer->params;
    const struct training_state *state = &trainer->state;
    return trainer->is_stopped || trainer->has_ended ||
           valid_metrics_are_stalled(&state->metrics, p->early_stopping, p->early_stopping_on) ||
           (p->after_updates && state->rounds >= p->after_updates) ||
           (p->after_epochs && state->epoch >= p->after_epochs) ||
           (p->after_target_tokens && state->target_tokens >= p->after_target_tokens) ||
           (p->max_seconds > 0 && platform_now_s() - trainer->begin_s >= p->max_seconds);
}

// Trains to the end, if the device lasts. There is a state to go back to from the beginning on.
static enum vks_status train(struct vks_trainer *trainer) {
    const struct vks_trainer_params *p = &trainer->params;
    const struct training_state *state = &trainer->state;
    // After a loss, the validation at the end may be one of the things that were lost.
    bool is_validated = trainer->num_losses == 0 || is_due(trainer, p->valid_freq);
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
        if (is_due(trainer, p->valid_freq)) {
            TRY(collect_all(trainer));
            TRY(validate(trainer, true));
            validated_steps = state->steps;
        }
        trainer->owes_save |= is_due(trainer, p->save_freq);
        TRY(save_if_owed(trainer));
    }
    TRY(collect_all(trainer));
    if (valid_metrics_are_stalled(&state->metrics, p->early_stopping, p->early_stopping_on))
        log_info(trainer->log, "[valid] No new best in %u validations: training stops",
                 p->early_stopping);
    if (validated_steps != state->steps)
        TRY(validate(trainer, false));
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
