// Making and unmaking a trainer: corpora, programs, and the state it resumes from.
#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/file_system.h"
#include "model/weights_freeze.h"
#include "ops/alignment.h"
#include "train/batch_fit.h"
#include "train/guided_alignment.h"
#include "train/schedule.h"
#include "train/trainer_object.h"
#include "vk/budget.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Longest sentence, without </s>.
static uint32_t max_length_of(const struct vks_trainer *trainer) {
    const struct vks_model_config *config = vks_model_config(trainer->model);
    uint32_t max_length = trainer->params.max_length;
    if (config->positions == VKS_POSITIONS_LEARNED)
        max_length = min_u32(max_length, config->max_positions - 1);
    return max_length;
}

static bool has_valid(const struct vks_trainer_params *params) {
    return params->valid_source || params->valid_set;
}

// Words of a row of links in batches; 0 if no alignment is guided.
static uint32_t link_words_of(const struct vks_trainer *trainer) {
    return trainer->alignment.is_guided ? alignment_link_words(trainer->alignment.max_source) : 0;
}

static enum vks_status open_data(struct vks_trainer *trainer) {
    const struct training_data_params params = {
        .trainer = &trainer->params,
        .tokenizer = trainer->tokenizer,
        .max_words = trainer->state.mini_batch_words,
        .max_length = max_length_of(trainer),
        .start_id = vks_model_config(trainer->model)->start_id,
        .link_words = link_words_of(trainer),
    };
    return training_data_open(&params, &trainer->data);
}

static enum vks_status open_valid(struct vks_trainer *trainer) {
    const struct vks_trainer_params *p = &trainer->params;
    const struct vks_text_set files = {.source = p->valid_source, .target = p->valid_target};
    struct encoder_params encoder = {
        .tokenizer = trainer->tokenizer,
        .sets = p->valid_set ? p->valid_set : &files,
        .num_sets = 1,
        .max_length = max_length_of(trainer),
        .crop = true,
        .num_threads = p->data_threads,
        .log = trainer->log,
    };
    TRY(training_data_frames(p, trainer->tokenizer, encoder.frames));
    TRY(corpus_load(&encoder, &trainer->valid.corpus));
    const struct batcher_params batcher = {
        .corpus = trainer->valid.corpus,
        .seed = trainer->state.seed,
        .max_src_tokens = trainer->state.mini_batch_words,
        .max_tgt_tokens = trainer->state.mini_batch_words,
        .pool_pairs = p->maxi_batch_pairs,
        .shuffle = SHUFFLE_NONE,
        .start_id = vks_model_config(trainer->model)->start_id,
        .log = trainer->log,
    };
    return batcher_create(&batcher, &trainer->valid.batcher);
}

static struct cost_scaling scaling_of(const struct vks_trainer_params *p) {
    const struct vks_cost_scaling *given = &p->cost_scaling;
    if (given->factor > 0)
        return (struct cost_scaling){given->factor, given->frequency, given->multiplier,
                                     given->minimum};
    return p->precision == VKS_FLOAT16 ? (struct cost_scaling){256, 2000, 2, 1}
                                       : (struct cost_scaling){0};
}

static struct optimizer_params optimizer_of(const struct vks_trainer_params *p) {
    static const uint32_t kinds[] = {UPDATE_ADAM, UPDATE_ADAMW, UPDATE_SGD};
    return (struct optimizer_params){.kind = kinds[p->optimizer],
                                     .beta1 = p->beta1,
                                     .beta2 = p->beta2,
                                     .eps = p->eps,
                                     .decay = p->weight_decay,
                                     .smoothing = p->exponential_smoothing,
                                     .scaling = scaling_of(p)};
}

// Of the training's or the validation's program.
static struct loss_params loss_params(const struct vks_trainer *trainer, bool is_valid) {
    const struct vks_trainer_params *p = &trainer->params;
    struct loss_params loss = {
        .config = &trainer->model->config,
        .weights = &trainer->model->weights,
        .element = precision_element(p->precision),
        .capacity = {trainer->part_words, trainer->part_words, trainer->part_words},
    };
    if (is_valid)
        return loss;
    loss.label_smoothing = p->label_smoothing;
    loss.dropout = p->dropout;
    loss.dropout_attention = p->dropout_attention;
    loss.dropout_ffn = p->dropout_ffn;
    loss.dropout_src = p->dropout_src;
    loss.dropout_tgt = p->dropout_trg;
    loss.alignment = trainer->alignment.is_guided ? &trainer->alignment : NULL;
    loss.with_weights = training_data_has_weights(p);
    loss.with_gradient = true;
    if (scaling_of(p).multiplier > 0)
        loss.state = &trainer->updater.state;
    return loss;
}

// Finds how large batches may be, unless the training state says it.
static enum vks_status fit_batches(struct vks_trainer *trainer) {
    const struct vks_trainer_params *p = &trainer->params;
    struct vks_model *model = trainer->model;
    if (!p->mini_batch_fit) {
        trainer->state.mini_batch_words = p->mini_batch_words;
        return VKS_OK;
    }
    if (trainer->has_state && trainer->state.mini_batch_fit) {
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
        .valid = has_valid(p) ? &valid : NULL,
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
    const struct optimizer_params optimizer = optimizer_of(p);
    TRY(updater_init(&model->weights.store, &optimizer, &trainer->updater));
    TRY(loss_program_init(model->device, &train, &trainer->loss));
    if (!trainer->valid.corpus)
        return VKS_OK;
    return loss_program_init(model->device, &valid, &trainer->valid.loss);
}

static void close_programs(struct vks_trainer *trainer) {
    loss_program_finish(&trainer->valid.loss);
    loss_program_finish(&trainer->loss);
    updater_finish(&trainer->updater);
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
    return batch_create(&(struct batch_capacity){part_words, part_words, part_words},
                        training_data_has_weights(p), link_words_of(trainer), trainer->log,
                        &trainer->part);
}

struct batch_runner trainer_runner(struct vks_trainer *trainer, bool is_valid) {
    return (struct batch_runner){.loss = is_valid ? &trainer->valid.loss : &trainer->loss,
                                 .part = trainer->part};
}

// What a training state and a trainer's parameters must have in common: numbers, or places in a
// list of names.
struct shared_value {
    const char *what;
    uint64_t before, now;
    const char *const *names; // NULL: a number
};

static enum vks_status report_changed(const struct vks_trainer *trainer,
                                      const struct shared_value *value) {
    char before[32], now[32];
    snprintf(before, sizeof before, "%llu", (unsigned long long)value->before);
    snprintf(now, sizeof now, "%llu", (unsigned long long)value->now);
    log_error(trainer->log,
              "%s: this training was begun with %s %s, now it is %s; give the same, or another "
              "model directory",
              trainer->params.model_dir, value->what,
              value->names ? value->names[value->before] : before,
              value->names ? value->names[value->now] : now);
    return VKS_ERR_ARGUMENT;
}

// A state belongs to batches made in one way only, unless they are begun anew.
static enum vks_status check_resumed(const struct vks_trainer *trainer,
                                     const struct training_state *state) {
    static const char *const shuffles[] = {"data", "batches", "none"};
    static const char *const optimizers[] = {"adam", "adamw", "sgd"};
    static const char *const precisions[] = {"float32", "float16", "bfloat16"};
    static const char *const sorts[] = {"longer", "trg", "src", "none"};
    static const char *const places[] = {
        "kept in memory", "read anew in each epoch (--tempdir, --sentencepiece-alphas)"};
    enum { NUM_LASTING = 4 }; // values that hold in a new epoch of other text, too
    const struct vks_trainer_params *p = &trainer->params;
    const struct shared_value values[] = {
        {"--seed", state->seed, p->seed, NULL},
        {"--optimizer", state->optimizer, p->optimizer, optimizers},
        {"--precision", state->precision, p->precision, precisions},
        {"a number of frozen values (--freeze) of", state->num_frozen, trainer->state.num_frozen,
         NULL},
        {"--mini-batch-fit", state->mini_batch_fit, p->mini_batch_fit, NULL},
        {"--mini-batch-words", state->mini_batch_words,
         p->mini_batch_fit ? state->mini_batch_words : p->mini_batch_words, NULL},
        {"--mini-batch", state->mini_batch, p->mini_batch, NULL},
        {"--maxi-batch", state->maxi_batch_pairs, p->maxi_batch_pairs, NULL},
        {"--max-length", state->max_length, p->max_length, NULL},
        {"--shuffle", state->shuffle, p->shuffle, shuffles},
        {"--maxi-batch-sort", state->maxi_batch_sort, p->maxi_batch_sort, sorts},
        {"the text", state->is_streamed, training_data_is_streamed(p), places},
    };
    size_t num_values = p->no_restore_corpus ? NUM_LASTING : COUNT_OF(values);
    for (size_t i = 0; i < num_values; i++)
        if (values[i].before != values[i].now)
            return report_changed(trainer, &values[i]);
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

// Writes down what batches follow from, but for how large they are.
static void describe_batches(const struct vks_trainer_params *p, struct training_state *state) {
    state->mini_batch_fit = p->mini_batch_fit;
    state->mini_batch = p->mini_batch;
    state->maxi_batch_pairs = p->maxi_batch_pairs;
    state->max_length = p->max_length;
    state->is_streamed = training_data_is_streamed(p);
    state->shuffle = p->shuffle;
    state->maxi_batch_sort = p->maxi_batch_sort;
}

static enum vks_status load_state(struct vks_trainer *trainer) {
    const struct vks_trainer_params *p = &trainer->params;
    struct weights *weights = &trainer->model->weights;
    trainer->state = (struct training_state){.seed = p->seed,
                                             .decay = {.factor = 1},
                                             .optimizer = p->optimizer,
                                             .precision = p->precision,
                                             .num_frozen = weights_num_frozen(weights)};
    describe_batches(p, &trainer->state);
    TRY(read_state(trainer));
    return trainer->has_state || !parameter_store_has(&weights->store, PART_AVERAGE)
               ? VKS_OK
               : parameter_store_copy(&weights->store, PART_VALUE, PART_AVERAGE);
}

static uint64_t plan_updates(struct vks_trainer *trainer) {
    const struct vks_trainer_params *p = &trainer->params;
    double batches = trainer->data.num_batches, tokens = trainer->data.num_tokens;
    double planned = HUGE_VAL, delay = p->optimizer_delay > 1 ? p->optimizer_delay : 1;
    if (p->optimizer_delay_words && tokens > 0)
        delay = fmax(1, p->optimizer_delay_words * batches / tokens);
    if (p->after_updates)
        planned = (double)p->after_updates;
    if (p->after_epochs && batches > 0)
        planned = fmin(planned, floor(ceil((double)p->after_epochs * batches) / delay));
    if (p->after_target_tokens && tokens > 0) {
        double by_tokens = (double)p->after_target_tokens / tokens * batches / delay;
        planned = by_tokens < planned ? floor(by_tokens) + 1 : planned;
    }
    return planned < 0x1p53 ? (uint64_t)planned : 0;
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
    const struct training_data *data = &trainer->data;
    if (state->num_pairs != data->num_pairs) {
        log_error(
            trainer->log,
            "%s: this training was begun on %llu sentence pairs, now there are %llu; give the "
            "same text, or another model directory",
            p->model_dir, (unsigned long long)state->num_pairs,
            (unsigned long long)data->num_pairs);
        return VKS_ERR_ARGUMENT;
    }
    if (state->data_hash != data->hash ||
        !batcher_seek(data->batcher, state->epoch, state->pool_idx, state->batch_idx)) {
        log_error(trainer->log,
                  "%s: this training was begun with other corpora, ratios between them, languages, "
                  "cropping, --sentencepiece-alphas or --mask-placeholders; give the same, or "
                  "another model directory",
                  p->model_dir);
        return VKS_ERR_ARGUMENT;
    }
    // A scale may come in between.
    const float factor = scaling_of(p).factor;
    if (state->device_words[STATE_COST_SCALE] == 0)
        memcpy(&state->device_words[STATE_COST_SCALE], &factor, sizeof factor);
    return updater_write_state(&trainer->updater, state->device_words);
}

// Leaves the epoch that the state is in, for a new one of the text as it is now. The state in the
// model directory is of the old text: there has to be a new one.
static void begin_epoch(struct vks_trainer *trainer) {
    struct training_state *state = &trainer->state;
    state->epoch += state->pool_idx > 0 || state->batch_idx > 0;
    state->pool_idx = state->batch_idx = 0;
    state->num_pairs = trainer->data.num_pairs;
    state->data_hash = trainer->data.hash;
    describe_batches(&trainer->params, state);
    trainer->has_state = false;
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
        trainer->state.num_pairs = trainer->data.num_pairs;
        trainer->state.data_hash = trainer->data.hash;
        return begin_schedule(trainer);
    }
    trainer->is_resumed = true;
    trainer->resumed_updates = trainer->state.updates;
    warn_of_schedule(trainer);
    if (trainer->params.no_restore_corpus)
        begin_epoch(trainer);
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
    TRY(trainer_check_params(p, &trainer->model->config, tokenizer));
    TRY(directory_create(p->model_dir, trainer->log));
    if (!p->lock)
        TRY(lock_acquire(p->model_dir, trainer->log, &trainer->lock));
    directory_remove_temporaries(p->model_dir, trainer->log);
    trainer->state_dir = path_join(p->model_dir, "training");
    if (!trainer->state_dir)
        return VKS_ERR_OOM;
    TRY(prepare_weights(trainer));
    TRY(load_state(trainer));
    TRY(guided_alignment_init(p, &trainer->model->config, &trainer->alignment));
    if (trainer->alignment.is_guided)
        trainer->model->config.alignment_layer = trainer->alignment.layer_idx + 1;
    trainer->model->config.placeholders |= p->mask_placeholders > 0;
    TRY(fit_batches(trainer));
    TRY(open_data(trainer));
    if (has_valid(p))
        TRY(open_valid(trainer));
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
    training_data_close(&trainer->data);
    history_close(&trainer->history);
    lock_release(&trainer->lock);
    if (trainer->batches)
        fclose(trainer->batches);
    free(trainer->state_dir);
    free(trainer);
    *trainer_ref = NULL;
}
