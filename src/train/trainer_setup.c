// Making and unmaking a trainer: corpora, programs, and the state it resumes from.
#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/file_system.h"
#include "train/schedule.h"
#include "train/trainer_object.h"

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
        .clip_norm = 1.0f,
        .label_smoothing = 0.1f,
        .dropout = 0.1f,
        .disp_freq = 100,
        .valid_freq = 1000,
        .save_freq = 1000,
        .keep_last = 2,
        .seed = 1,
        .shuffle_bytes = (uint64_t)256 << 20,
    };
}

enum vks_status vks_trainer_check_text(const struct vks_text_set *sets, uint32_t num_sets,
                                       const struct vks_log *log, uint64_t *num_lines) {
    uint64_t num = 0;
    for (uint32_t i = 0; i < num_sets; i++) {
        struct text_count count = {0};
        if (!vks_is_stdin(sets[i].source))
            TRY(text_set_count(&sets[i], log, &count));
        num += count.num_pairs;
    }
    *num_lines = num;
    return VKS_OK;
}

static enum vks_status check_params(const struct vks_trainer_params *p,
                                    const struct vks_model_config *config,
                                    const struct vks_tokenizer *tokenizer) {
    uint32_t source_vocab = vks_tokenizer_vocab_size(tokenizer, VKS_SOURCE);
    uint32_t target_vocab = vks_tokenizer_vocab_size(tokenizer, VKS_TARGET);
    const char *wrong = NULL;
    if (!p->model_dir || !training_data_is_named(p))
        wrong = "a model directory and a training text for both sides are needed";
    else if (!p->valid_source != !p->valid_target)
        wrong = "a validation text is needed for both sides, or for none";
    else if (p->mini_batch_words < 2)
        wrong = "a batch must hold 2 words or more";
    else if (p->max_length == 0 || p->max_length >= p->mini_batch_words)
        wrong = "the longest sentence must be shorter than a batch (mini-batch-words)";
    else if (!(p->dropout >= 0 && p->dropout < 1) || !(p->dropout_src >= 0 && p->dropout_src < 1) ||
             !(p->dropout_trg >= 0 && p->dropout_trg < 1) ||
             !(p->label_smoothing >= 0 && p->label_smoothing < 1))
        wrong = "dropout and label smoothing are from 0 to under 1";
    else if (!(p->learn_rate > 0) || !(p->clip_norm >= 0) || !(p->weight_decay >= 0))
        wrong = "the learning rate must be above 0, clipping and decay 0 or more";
    else if (p->optimizer > VKS_SGD)
        wrong = "the optimiser must be Adam, AdamW or SGD";
    else if (!(p->sentencepiece_alphas[VKS_SOURCE] >= 0) ||
             !(p->sentencepiece_alphas[VKS_TARGET] >= 0))
        wrong = "the powers of SentencePiece's probabilities are 0 or more";
    else if (p->weighs_words && p->sentencepiece_alphas[VKS_TARGET] > 0)
        wrong = "weights of words need the same words in each epoch (no SentencePiece sampling)";
    else if (p->shuffle > VKS_SHUFFLE_NONE || p->maxi_batch_sort > VKS_SORT_NONE)
        wrong = "text is shuffled and sorted in one of the known ways";
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

// Longest sentence, without </s>.
static uint32_t max_length_of(const struct vks_trainer *trainer) {
    const struct vks_model_config *config = vks_model_config(trainer->model);
    uint32_t max_length = trainer->params.max_length;
    if (config->positions == VKS_POSITIONS_LEARNED)
        max_length = min_u32(max_length, config->max_positions - 1);
    return max_length;
}

static enum vks_status open_data(struct vks_trainer *trainer) {
    const struct training_data_params params = {
        .trainer = &trainer->params,
        .tokenizer = trainer->tokenizer,
        .max_words = trainer->params.mini_batch_words,
        .max_length = max_length_of(trainer),
        .start_id = vks_model_config(trainer->model)->pad_id,
    };
    return training_data_open(&params, &trainer->data);
}

static enum vks_status open_valid(struct vks_trainer *trainer) {
    const struct vks_trainer_params *p = &trainer->params;
    const struct vks_text_set files = {.source = p->valid_source, .target = p->valid_target};
    const struct encoder_params encoder = {
        .tokenizer = trainer->tokenizer,
        .sets = p->valid_set ? p->valid_set : &files,
        .num_sets = 1,
        .max_length = max_length_of(trainer),
        .crop = true,
        .num_threads = p->data_threads,
        .log = trainer->log,
    };
    TRY(corpus_load(&encoder, &trainer->valid.corpus));
    const struct batcher_params batcher = {
        .corpus = trainer->valid.corpus,
        .seed = trainer->state.seed,
        .max_src_tokens = p->mini_batch_words,
        .max_tgt_tokens = p->mini_batch_words,
        .pool_pairs = p->maxi_batch_pairs,
        .shuffle = SHUFFLE_NONE,
        .start_id = vks_model_config(trainer->model)->pad_id,
        .log = trainer->log,
    };
    return batcher_create(&batcher, &trainer->valid.batcher);
}

static enum vks_status open_programs(struct vks_trainer *trainer) {
    const struct vks_trainer_params *p = &trainer->params;
    struct vks_model *model = trainer->model;
    struct loss_params loss = {
        .config = &model->config,
        .weights = &model->weights,
        .capacity = {p->mini_batch_words, p->mini_batch_words, p->mini_batch_words},
        .label_smoothing = p->label_smoothing,
        .dropout = p->dropout,
        .dropout_src = p->dropout_src,
        .dropout_tgt = p->dropout_trg,
        .with_weights = training_data_has_weights(p),
        .with_gradient = true,
    };
    TRY(weights_reserve_positions(&model->weights, &model->config, p->max_length + 2));
    TRY(loss_program_init(model->device, &loss, &trainer->loss));
    static const uint32_t kinds[] = {UPDATE_ADAM, UPDATE_ADAMW, UPDATE_SGD};
    const struct optimizer_params optimizer = {.kind = kinds[p->optimizer],
                                               .beta1 = p->beta1,
                                               .beta2 = p->beta2,
                                               .eps = p->eps,
                                               .decay = p->weight_decay};
    TRY(updater_init(&model->weights.store, &optimizer, &trainer->updater));
    if (!trainer->valid.corpus)
        return VKS_OK;
    loss.label_smoothing = loss.dropout = loss.dropout_src = loss.dropout_tgt = 0;
    loss.with_weights = loss.with_gradient = false;
    return loss_program_init(model->device, &loss, &trainer->valid.loss);
}

static void close_programs(struct vks_trainer *trainer) {
    loss_program_finish(&trainer->valid.loss);
    updater_finish(&trainer->updater);
    loss_program_finish(&trainer->loss);
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
    static const char *const sorts[] = {"longer", "trg", "src", "none"};
    static const char *const places[] = {
        "kept in memory", "read anew in each epoch (--tempdir, --sentencepiece-alphas)"};
    const struct vks_trainer_params *p = &trainer->params;
    const struct shared_value values[] = {
        {"--seed", state->seed, p->seed, NULL},
        {"--mini-batch-words", state->mini_batch_words, p->mini_batch_words, NULL},
        {"--mini-batch", state->mini_batch, p->mini_batch, NULL},
        {"--maxi-batch", state->maxi_batch_pairs, p->maxi_batch_pairs, NULL},
        {"--max-length", state->max_length, p->max_length, NULL},
        {"--shuffle", state->shuffle, p->shuffle, shuffles},
        {"--maxi-batch-sort", state->maxi_batch_sort, p->maxi_batch_sort, sorts},
        {"the text", state->is_streamed, training_data_is_streamed(p), places},
    };
    size_t num_values = p->no_restore_corpus ? 1 : COUNT_OF(values);
    for (size_t i = 0; i < num_values; i++)
        if (values[i].before != values[i].now)
            return report_changed(trainer, &values[i]);
    return VKS_OK;
}

// The newest training state, if there is one.
static enum vks_status read_state(struct vks_trainer *trainer) {
    struct training_state found;
    TRY(training_state_load(trainer->state_dir, trainer->log, &trainer->model->weights, &found,
                            &trainer->has_state));
    if (!trainer->has_state)
        return VKS_OK;
    TRY(check_resumed(trainer, &found));
    trainer->state = found;
    trainer->state_steps = found.steps;
    return VKS_OK;
}

// Writes down what batches follow from.
static void describe_batches(const struct vks_trainer_params *p, struct training_state *state) {
    state->mini_batch_words = p->mini_batch_words;
    state->mini_batch = p->mini_batch;
    state->maxi_batch_pairs = p->maxi_batch_pairs;
    state->max_length = p->max_length;
    state->is_streamed = training_data_is_streamed(p);
    state->shuffle = p->shuffle;
    state->maxi_batch_sort = p->maxi_batch_sort;
}

static enum vks_status load_state(struct vks_trainer *trainer) {
    const struct vks_trainer_params *p = &trainer->params;
    trainer->state = (struct training_state){.seed = p->seed};
    describe_batches(p, &trainer->state);
    return read_state(trainer);
}

static uint64_t plan_updates(struct vks_trainer *trainer) {
    const struct vks_trainer_params *p = &trainer->params;
    double batches = trainer->data.num_batches, tokens = trainer->data.num_tokens;
    double planned = HUGE_VAL;
    if (p->after_updates)
        planned = (double)p->after_updates;
    if (p->after_epochs && batches > 0)
        planned = fmin(planned, ceil((double)p->after_epochs * batches));
    if (p->after_target_tokens && tokens > 0) {
        double by_tokens = (double)p->after_target_tokens / tokens * batches;
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
                  "%s: this training was begun with other corpora, ratios between them, cropping "
                  "or --sentencepiece-alphas; give the same, or another model directory",
                  p->model_dir);
        return VKS_ERR_ARGUMENT;
    }
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
    trainer->num_skipped_in_a_row = 0;
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
    TRY(model_prepare_training(trainer->model));
    TRY(load_state(trainer));
    TRY(open_data(trainer));
    if (p->valid_source || p->valid_set)
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
