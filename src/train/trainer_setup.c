// Making and unmaking a trainer: corpora, programs, and the state it resumes from.
#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/file_system.h"
#include "train/batch_fit.h"
#include "model/weights_freeze.h"
#include "train/schedule.h"
#include "train/trainer_object.h"
#include "vk/budget.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void vks_trainer_defaults(struct vks_trainer_params *params) {
    *params = (struct vks_trainer_params){
        .mini_batch_words = 1536,
        .maxi_batch_pairs = 4000,
        .max_length = 100,
        .learn_rate = 1e-3f,
        .beta1 = 0.9f,
        .beta2 = 0.98f,
        .eps = 1e-9f,
        .lr_decay_strategy = VKS_LR_DECAY_EPOCH_STALLED,
        .lr_decay_start = {10, 1},
        .lr_decay_freq = 50000,
        .lr_report = true,
        .clip_norm = 1.0f,
        .label_smoothing = 0.1f,
        .dropout = 0.1f,
        .guided_alignment_weight = 0.1f,
        .disp_freq = 100,
        .valid_freq = 1000,
        .save_freq = 1000,
        .keep_last = 2,
        .seed = 1,
    };
}

static bool is_share(float value) {
    return value >= 0 && value < 1;
}

static enum vks_status check_params(const struct vks_trainer_params *p,
                                    const struct vks_model_config *config,
                                    const struct vks_tokenizer *tokenizer) {
    uint32_t source_vocab = vks_tokenizer_vocab_size(tokenizer, VKS_SOURCE);
    uint32_t target_vocab = vks_tokenizer_vocab_size(tokenizer, VKS_TARGET);
    const char *wrong = NULL;
    bool may_be_any = p->mini_batch_fit && p->mini_batch_words == 0;
    if (!p->model_dir || !p->train_source || !p->train_target)
        wrong = "a model directory and a training text for both sides are needed";
    else if (!p->valid_source != !p->valid_target)
        wrong = "a validation text is needed for both sides, or for none";
    else if (p->mini_batch_words < 2 && !may_be_any)
        wrong = "a batch must hold 2 words or more";
    else if (p->max_length == 0 || (p->max_length >= p->mini_batch_words && !may_be_any))
        wrong = "the longest sentence must be shorter than a batch (mini-batch-words)";
    else if (!is_share(p->dropout) || !is_share(p->dropout_attention) ||
             !is_share(p->dropout_ffn) || !is_share(p->label_smoothing))
        wrong = "dropout and label smoothing are from 0 to under 1";
    else if (!(p->learn_rate > 0) || !(p->clip_norm >= 0) || !(p->weight_decay >= 0))
        wrong = "the learning rate must be above 0, clipping and decay 0 or more";
    else if (p->optimizer > VKS_SGD)
        wrong = "the optimiser must be Adam, AdamW or SGD";
    else if (!(p->lr_decay >= 0 && p->lr_decay <= 1) ||
             !(p->exponential_smoothing >= 0 && p->exponential_smoothing < 1))
        wrong = "the decay of the learning rate is from 0 to 1, smoothing from 0 to under 1";
    else if (p->lr_decay_strategy > VKS_LR_DECAY_EPOCH_STALLED)
        wrong = "there is no such strategy of the decay of the learning rate";
    else if (p->schedule > VKS_SCHEDULE_CONSTANT)
        wrong = "the schedule must be inverse square root, linear, cosine or constant";
    else if (config->source_vocab != source_vocab || config->target_vocab != target_vocab)
        wrong = "the vocabulary and the model do not belong together";
    else if (config->pad_id != vks_tokenizer_pad_id(tokenizer, VKS_TARGET) ||
             config->eos_id != vks_tokenizer_eos_id(tokenizer, VKS_TARGET))
        wrong = "the model's <pad> and </s> are not the vocabulary's";
    if (!wrong)
        return VKS_OK;
    log_error(p->log, "training: %s (model: vocabularies of %u and %u; tokenizer: %u and %u)",
              wrong, config->source_vocab, config->target_vocab, source_vocab, target_vocab);
    return VKS_ERR_ARGUMENT;
}

static enum vks_status open_corpus(struct vks_trainer *trainer, bool is_valid,
                                   const struct vks_tokenizer *tokenizer) {
    const struct vks_trainer_params *p = &trainer->params;
    const struct vks_model_config *config = vks_model_config(trainer->model);
    uint32_t max_length = p->max_length;
    if (config->positions == VKS_POSITIONS_LEARNED)
        max_length = min_u32(max_length, config->max_positions - 1);
    const struct corpus_params corpus = {
        .tokenizer = tokenizer,
        .source_path = is_valid ? p->valid_source : p->train_source,
        .target_path = is_valid ? p->valid_target : p->train_target,
        .max_length = max_length,
        .crop = is_valid || p->max_length_crop,
        .log = trainer->log,
    };
    struct corpus **opened = is_valid ? &trainer->valid.corpus : &trainer->corpus;
    TRY(corpus_load(&corpus, opened));
    const struct batcher_params batcher = {
        .corpus = *opened,
        .seed = trainer->state.seed,
        .max_src_tokens = trainer->state.mini_batch_words,
        .max_tgt_tokens = trainer->state.mini_batch_words,
        .max_pairs_per_batch = is_valid ? 0 : p->mini_batch,
        .pool_pairs = p->maxi_batch_pairs,
        .shuffle = !is_valid && !p->no_shuffle,
        .start_id = config->pad_id,
        .log = trainer->log,
    };
    return batcher_create(&batcher, is_valid ? &trainer->valid.batcher : &trainer->batcher);
}

static struct optimizer_params optimizer_of(const struct vks_trainer_params *p) {
    static const uint32_t kinds[] = {UPDATE_ADAM, UPDATE_ADAMW, UPDATE_SGD};
    return (struct optimizer_params){.kind = kinds[p->optimizer],
                                     .beta1 = p->beta1,
                                     .beta2 = p->beta2,
                                     .eps = p->eps,
                                     .decay = p->weight_decay,
                                     .smoothing = p->exponential_smoothing};
}

// Of the training's or the validation's program.
static struct loss_params loss_params(const struct vks_trainer *trainer, bool is_valid) {
    const struct vks_trainer_params *p = &trainer->params;
    struct loss_params loss = {
        .config = &trainer->model->config,
        .weights = &trainer->model->weights,
        .capacity = {trainer->part_words, trainer->part_words, trainer->part_words},
    };
    if (is_valid)
        return loss;
    loss.label_smoothing = p->label_smoothing;
    loss.dropout = p->dropout;
    loss.dropout_attention = p->dropout_attention;
    loss.dropout_ffn = p->dropout_ffn;
    loss.alignment = trainer->guided.loss.is_guided ? &trainer->guided.loss : NULL;
    loss.with_gradient = true;
    return loss;
}

// Finds how large batches may be, unless the training state says it.
static enum vks_status fit_batches(struct vks_trainer *trainer) {
    const struct vks_trainer_params *p = &trainer->params;
    struct vks_model *model = trainer->model;
    if (!p->mini_batch_fit)
        return VKS_OK;
    if (trainer->has_state) {
        log_info(trainer->log, "[batching] As before, batches of at most %u words a side",
                 trainer->state.mini_batch_words);
        return VKS_OK;
    }
    TRY(weights_reserve_positions(&model->weights, &model->config, p->max_length + 2));
    const struct loss_params train = loss_params(trainer, false),
                             valid = loss_params(trainer, true);
    const struct batch_fit_params params = {
        .device = model->device,
        .train = &train,
        .valid = p->valid_source ? &valid : NULL,
        .workspace_bytes = p->workspace_bytes ? p->workspace_bytes : budget_bytes(model->device),
        .least_words = p->max_length + 1,
        .most_words = p->mini_batch_words ? p->mini_batch_words : TRAINER_MAX_WORDS,
        .log = trainer->log};
    struct batch_fit fit;
    TRY(batch_fit_find(&params, &fit));
    trainer->state.mini_batch_words = fit.words;
    log_info(
        trainer->log,
        "[batching] Batches of at most %u words a side take %.1f MiB of a workspace of %.1f MiB",
        fit.words, (double)fit.bytes / 0x1p20, (double)params.workspace_bytes / 0x1p20);
    return VKS_OK;
}

static enum vks_status build_programs(struct vks_trainer *trainer) {
    const struct vks_trainer_params *p = &trainer->params;
    struct vks_model *model = trainer->model;
    const struct loss_params train = loss_params(trainer, false),
                             valid = loss_params(trainer, true);
    TRY(weights_reserve_positions(&model->weights, &model->config, p->max_length + 2));
    TRY(loss_program_init(model->device, &train, &trainer->loss));
    const struct optimizer_params optimizer = optimizer_of(p);
    TRY(updater_init(&model->weights.store, &optimizer, &trainer->updater));
    if (!trainer->valid.corpus)
        return VKS_OK;
    return loss_program_init(model->device, &valid, &trainer->valid.loss);
}

static void close_programs(struct vks_trainer *trainer) {
    loss_program_finish(&trainer->valid.loss);
    updater_finish(&trainer->updater);
    loss_program_finish(&trainer->loss);
    batch_destroy(&trainer->part);
}

// Builds the programs; where device memory fails those of fitted batches, for parts of batches.
static enum vks_status open_programs(struct vks_trainer *trainer) {
    const struct vks_trainer_params *p = &trainer->params;
    uint32_t words = trainer->state.mini_batch_words;
    trainer->part_words = words;
    enum vks_status status = build_programs(trainer);
    while (status == VKS_ERR_DEVICE_OOM && p->mini_batch_fit &&
           trainer->part_words / 2 > p->max_length) {
        close_programs(trainer);
        trainer->part_words /= 2;
        status = build_programs(trainer);
    }
    if (status != VKS_OK || trainer->part_words == words)
        return status;
    const uint32_t part_words = trainer->part_words;
    log_warn(trainer->log,
             "Device memory did not suffice for batches of %u words a side: they are split into "
             "parts of at most %u. From here on, this training is not repeated bit by bit",
             words, part_words);
    return batch_create(&(struct batch_capacity){part_words, part_words, part_words}, trainer->log,
                        &trainer->part);
}

struct batch_runner trainer_runner(struct vks_trainer *trainer, bool is_valid) {
    if (is_valid)
        return (struct batch_runner){.loss = &trainer->valid.loss, .part = trainer->part};
    return (struct batch_runner){.loss = &trainer->loss,
                                 .guided = trainer->guided.loss.is_guided ? &trainer->guided : NULL,
                                 .part = trainer->part};
}

// A state belongs to batches made in one way only.
static enum vks_status check_resumed(const struct vks_trainer *trainer,
                                     const struct training_state *state) {
    const struct vks_trainer_params *p = &trainer->params;
    const struct {
        const char *what;
        uint64_t before, now;
    } sames[] = {
        {"--mini-batch-fit", state->mini_batch_fit, p->mini_batch_fit},
        {"--mini-batch-words", state->mini_batch_words,
         p->mini_batch_fit ? state->mini_batch_words : p->mini_batch_words},
        {"--mini-batch", state->mini_batch, p->mini_batch},
        {"--maxi-batch", state->maxi_batch_pairs, p->maxi_batch_pairs},
        {"--max-length", state->max_length, p->max_length},
        {"--seed", state->seed, p->seed},
        {"a number of frozen values (--freeze) of", state->num_frozen, trainer->state.num_frozen},
    };
    static const char *const optimizers[] = {"adam", "adamw", "sgd"};
    if (state->optimizer != p->optimizer) {
        log_error(trainer->log,
                  "%s: this training was begun with --optimizer %s, now it is %s; give the same, "
                  "or another model directory",
                  p->model_dir,
                  state->optimizer < COUNT_OF(optimizers) ? optimizers[state->optimizer] : "?",
                  optimizers[p->optimizer]);
        return VKS_ERR_ARGUMENT;
    }
    for (size_t i = 0; i < COUNT_OF(sames); i++) {
        if (sames[i].before == sames[i].now)
            continue;
        log_error(trainer->log,
                  "%s: this training was begun with %s %llu, now it is %llu; give the same, or "
                  "another model directory",
                  p->model_dir, sames[i].what, (unsigned long long)sames[i].before,
                  (unsigned long long)sames[i].now);
        return VKS_ERR_ARGUMENT;
    }
    return VKS_OK;
}

// The newest training state, if there is one.
static enum vks_status read_state(struct vks_trainer *trainer) {
    struct training_state found;
    char *dir;
    TRY(training_state_find(trainer->state_dir, trainer->log, &found, &dir));
    trainer->has_state = dir[0] != '\0';
    enum vks_status status = VKS_OK;
    if (trainer->has_state)
        status = check_resumed(trainer, &found);
    if (trainer->has_state && status == VKS_OK)
        status = training_state_read_weights(&found, dir, trainer->log, &trainer->model->weights);
    free(dir);
    if (!trainer->has_state || status != VKS_OK)
        return status;
    trainer->state = found;
    trainer->state_steps = found.steps;
    return VKS_OK;
}

// Memory for training, and what is frozen.
static enum vks_status prepare_weights(struct vks_trainer *trainer) {
    const struct vks_trainer_params *p = &trainer->params;
    struct vks_model *model = trainer->model;
    const struct optimizer_params optimizer = optimizer_of(p);
    if (p->num_freeze || weights_num_frozen(&model->weights) > 0)
        TRY(weights_freeze(&model->weights, &model->config, p->freeze, p->num_freeze));
    return model_prepare_training(model, optimizer_parts(&optimizer));
}

static enum vks_status load_state(struct vks_trainer *trainer) {
    const struct vks_trainer_params *p = &trainer->params;
    struct weights *weights = &trainer->model->weights;
    trainer->state = (struct training_state){.seed = p->seed,
                                             .mini_batch_words = p->mini_batch_words,
                                             .mini_batch_fit = p->mini_batch_fit,
                                             .mini_batch = p->mini_batch,
                                             .maxi_batch_pairs = p->maxi_batch_pairs,
                                             .max_length = p->max_length,
                                             .decay = {.factor = 1},
                                             .optimizer = p->optimizer,
                                             .num_frozen = weights_num_frozen(weights)};
    TRY(read_state(trainer));
    return trainer->has_state || !parameter_store_has(&weights->store, PART_AVERAGE)
               ? VKS_OK
               : parameter_store_copy(&weights->store, PART_VALUE, PART_AVERAGE);
}

static uint64_t plan_updates(struct vks_trainer *trainer) {
    const struct vks_trainer_params *p = &trainer->params;
    uint64_t batches = batcher_num_batches(trainer->batcher, 0);
    uint64_t tokens = corpus_num_tokens(trainer->corpus, VKS_TARGET);
    uint64_t planned = UINT64_MAX;
    double delay = p->optimizer_delay > 1 ? p->optimizer_delay : 1;
    if (p->optimizer_delay_words)
        delay = fmax(1, p->optimizer_delay_words * (double)batches / (double)tokens);
    if (p->after_updates)
        planned = p->after_updates;
    if (p->after_epochs && (double)p->after_epochs * (double)batches / delay < (double)planned)
        planned = (uint64_t)((double)p->after_epochs * (double)batches / delay);
    if (p->after_target_tokens) {
        double by_tokens =
            (double)p->after_target_tokens / (double)tokens * (double)batches / delay;
        planned = by_tokens < (double)planned ? (uint64_t)by_tokens + 1 : planned;
    }
    return planned == UINT64_MAX ? 0 : planned;
}

static enum vks_status begin_schedule(struct vks_trainer *trainer) {
    struct training_state *state = &trainer->state;
    const struct vks_trainer_params *p = &trainer->params;
    state->warmup = p->warmup ? p->warmup : schedule_default_warmup(trainer->planned_updates);
    state->schedule = p->schedule;
    state->schedule_updates = p->schedule_updates ? p->schedule_updates : trainer->planned_updates;
    if (state->schedule_updates > state->warmup ||
        (p->schedule != VKS_SCHEDULE_LINEAR && p->schedule != VKS_SCHEDULE_COSINE))
        return VKS_OK;
    log_error(trainer->log,
              "a linear or cosine schedule must end after the warm-up of %u updates: its end is "
              "%llu; give --lr-schedule-updates, or --after",
              state->warmup, (unsigned long long)state->schedule_updates);
    return VKS_ERR_ARGUMENT;
}

// A schedule goes on as it was begun.
static void warn_of_schedule(const struct vks_trainer *trainer) {
    const struct training_state *state = &trainer->state;
    const struct vks_trainer_params *p = &trainer->params;
    if ((p->warmup && p->warmup != state->warmup) || p->schedule != state->schedule ||
        (p->schedule_updates && p->schedule_updates != state->schedule_updates))
        log_warn(trainer->log,
                 "the learning rate goes on as this training was begun: warm-up of %u updates, "
                 "schedule for %llu",
                 state->warmup, (unsigned long long)state->schedule_updates);
}

// Makes batcher and updater go on from the state that was read.
static enum vks_status go_on(struct vks_trainer *trainer) {
    struct training_state *state = &trainer->state;
    const struct vks_trainer_params *p = &trainer->params;
    uint64_t num_pairs = corpus_num_pairs(trainer->corpus);
    if (state->num_pairs != num_pairs ||
        !batcher_seek(trainer->batcher, state->epoch, state->batch_idx)) {
        log_error(
            trainer->log,
            "%s: this training was begun on %llu sentence pairs, now there are %llu; give the "
            "same text, or another model directory",
            p->model_dir, (unsigned long long)state->num_pairs, (unsigned long long)num_pairs);
        return VKS_ERR_ARGUMENT;
    }
    return updater_write_state(&trainer->updater, state->device_words);
}

static enum vks_status select_metrics(struct vks_trainer *trainer) {
    static const char *const usual[] = {"ce-mean-words", "perplexity"};
    const struct vks_trainer_params *p = &trainer->params;
    const char *const *names = p->num_valid_metrics ? p->valid_metrics : usual;
    uint32_t num = p->num_valid_metrics ? p->num_valid_metrics : (uint32_t)COUNT_OF(usual);
    const struct valid_costs costs = {.num_tokens = 1, .num_sentences = 1};
    double value;
    TRY(valid_metrics_select(&trainer->state.metrics, names, num, trainer->log));
    for (uint32_t i = 0; i < num; i++)
        if (!p->on_score && !valid_metric_of_costs(names[i], &costs, &value)) {
            log_error(trainer->log,
                      "validation metric '%s': expected cross-entropy, ce-mean-words or "
                      "perplexity, as nothing computes others",
                      names[i]);
            return VKS_ERR_ARGUMENT;
        }
    return VKS_OK;
}

static enum vks_status settle_state(struct vks_trainer *trainer) {
    trainer->planned_updates = plan_updates(trainer);
    if (!trainer->has_state) {
        trainer->state.num_pairs = corpus_num_pairs(trainer->corpus);
        return begin_schedule(trainer);
    }
    trainer->is_resumed = true;
    trainer->resumed_updates = trainer->state.updates;
    warn_of_schedule(trainer);
    return go_on(trainer);
}

// Begins or goes on with the history of the updates so far.
static enum vks_status open_history(struct vks_trainer *trainer) {
    const struct vks_trainer_params *p = &trainer->params;
    history_close(&trainer->history);
    return history_open(p->model_dir, p->tensorboard_dir, trainer->state.updates, trainer->log,
                        &trainer->history);
}

enum vks_status trainer_recover(struct vks_trainer *trainer) {
    close_programs(trainer);
    memset(trainer->pending, 0, sizeof trainer->pending);
    trainer->sums = (struct update_sums){0};
    trainer->last_report = (struct update_report){0};
    TRY(model_reopen(trainer->model));
    TRY(read_state(trainer));
    if (!trainer->has_state) // somebody has removed it
        return VKS_ERR_DEVICE_LOST;
    TRY(open_programs(trainer));
    TRY(go_on(trainer));
    TRY(open_history(trainer));
    log_info(trainer->log, "Going on after update %llu",
             (unsigned long long)trainer->state.updates);
    return VKS_OK;
}

static enum vks_status open_batch_dump(struct vks_trainer *trainer) {
    const char *path = trainer->params.dump_batches;
    if (!path)
        return VKS_OK;
    trainer->batches = fs_open_stream(path, "wb");
    if (trainer->batches)
        return VKS_OK;
    log_error(trainer->log, "%s: cannot be written: %s", path, strerror(errno));
    return VKS_ERR_IO;
}

static void log_memory(const struct vks_trainer *trainer) {
    uint64_t now, peak;
    vks_device_memory(trainer->model->device, &now, &peak);
    log_info(trainer->log,
             "[memory] %llu parameters, device memory %.1f MiB: training programs %.1f MiB, the "
             "rest parameters, gradients and moments",
             (unsigned long long)vks_model_num_parameters(trainer->model), (double)now / 0x1p20,
             (double)program_bytes(trainer->loss.program) / 0x1p20);
}

static enum vks_status prepare(struct vks_trainer *trainer, const struct vks_tokenizer *tokenizer) {
    const struct vks_trainer_params *p = &trainer->params;
    TRY(check_params(p, &trainer->model->config, tokenizer));
    TRY(directory_create(p->model_dir, trainer->log));
    if (!p->lock)
        TRY(lock_acquire(p->model_dir, trainer->log, &trainer->lock));
    directory_remove_temporaries(p->model_dir, trainer->log);
    trainer->state_dir = path_join(p->model_dir, "training");
    if (!trainer->state_dir)
        return VKS_ERR_OOM;
    TRY(prepare_weights(trainer));
    TRY(load_state(trainer));
    TRY(guided_alignment_init(p, &trainer->model->config, &trainer->guided));
    TRY(fit_batches(trainer));
    TRY(open_corpus(trainer, false, tokenizer));
    if (p->valid_source)
        TRY(open_corpus(trainer, true, tokenizer));
    TRY(guided_alignment_load(p, trainer->corpus, &trainer->guided));
    TRY(open_programs(trainer));
    TRY(settle_state(trainer));
    TRY(select_metrics(trainer));
    TRY(open_batch_dump(trainer));
    TRY(open_history(trainer));
    log_memory(trainer);
    return VKS_OK;
}

enum vks_status vks_trainer_create(const struct vks_trainer_params *params, struct vks_model *model,
                                   const struct vks_tokenizer *tokenizer,
                                   struct vks_trainer **result) {
    struct vks_trainer *trainer = memory_calloc(1, sizeof *trainer);
    if (!trainer)
        return VKS_ERR_OOM;
    trainer->params = *params;
    trainer->log = params->log;
    trainer->model = model;
    trainer->tokenizer = tokenizer;
    enum vks_status status = prepare(trainer, tokenizer);
    if (status != VKS_OK)
        vks_trainer_destroy(&trainer);
    else
        *result = trainer;
    return status;
}

bool vks_trainer_is_resumed(const struct vks_trainer *trainer, uint64_t *updates) {
    *updates = trainer->resumed_updates;
    return trainer->is_resumed;
}

void vks_trainer_destroy(struct vks_trainer **trainer_ref) {
    struct vks_trainer *trainer = *trainer_ref;
    if (!trainer)
        return;
    close_programs(trainer);
    batcher_destroy(&trainer->valid.batcher);
    corpus_destroy(&trainer->valid.corpus);
    guided_alignment_close(&trainer->guided);
    batcher_destroy(&trainer->batcher);
    corpus_destroy(&trainer->corpus);
    history_close(&trainer->history);
    lock_release(&trainer->lock);
    if (trainer->batches)
        fclose(trainer->batches);
    free(trainer->state_dir);
    free(trainer);
    *trainer_ref = NULL;
}
