#include "base/log.h"
#include "train/trainer_object.h"

#include <math.h>
#include <stdlib.h>

static enum vks_status run(struct vks_trainer *trainer, struct valid_costs *costs) {
    struct validator *valid = &trainer->valid;
    const struct batch_runner runner = trainer_runner(trainer, true);
    struct batch_sums sums = {0}, done;
    *costs = (struct valid_costs){0};
    batcher_seek(valid->batcher, 0, 0, 0);
    uint32_t num_batches = batcher_num_batches(valid->batcher, 0);
    for (uint32_t i = 0; i <= num_batches; i++) {
        if (i < num_batches) {
            const struct batch *batch = batcher_next(valid->batcher);
            TRY(batch_submit(&runner, i % TRAINER_SLOTS, batch, &(struct loss_step){0}, &done));
            sums.loss += done.loss;
            costs->num_tokens += batch->num_tgt;
            costs->num_sentences += batch->num_sequences;
        }
        if (i > 0)
            TRY(batch_wait(&runner, (i - 1) % TRAINER_SLOTS, &sums));
    }
    costs->sum = sums.loss;
    return VKS_OK;
}

// The value of a metric, computed here or asked for.
static enum vks_status evaluate(struct vks_trainer *trainer, const struct valid_metric *metric,
                                const struct valid_costs *costs, double *value) {
    if (valid_metric_of_costs(metric->name, costs, value))
        return VKS_OK;
    return trainer->params.on_score(trainer->params.user, metric->name, value);
}

static enum vks_status save_best(struct vks_trainer *trainer, const struct valid_metric *metric) {
    char name[sizeof "best-" + VALID_METRIC_NAME_BYTES];
    snprintf(name, sizeof name, "best-%s", metric->name);
    char *dir = path_join(trainer->params.model_dir, name);
    if (!dir)
        return VKS_ERR_OOM;
    enum vks_status status = directory_create(dir, trainer->log);
    if (status == VKS_OK)
        status = vks_tokenizer_save(trainer->tokenizer, dir);
    if (status == VKS_OK)
        status = vks_model_save(trainer->model, dir);
    free(dir);
    return status;
}

// Marian's line.
static void log_metric(const struct vks_trainer *trainer, const struct valid_metric *metric,
                       double value, bool is_best) {
    const struct training_state *state = &trainer->state;
    char verdict[96] = "new best";
    if (!is_best)
        snprintf(verdict, sizeof verdict, "stalled %llu times (last best: %.5f)",
                 (unsigned long long)metric->num_stalled, metric->best);
    log_info(trainer->log, "[valid] Ep. %llu : Up. %llu : %s : %.5f : %s",
             (unsigned long long)(state->epoch + 1), (unsigned long long)state->updates,
             metric->name, value, verdict);
}

enum vks_status validator_run(struct vks_trainer *trainer) {
    struct valid_metrics *metrics = &trainer->state.metrics;
    struct event_value values[MAX_VALID_METRICS];
    char tags[MAX_VALID_METRICS][sizeof "valid/" + VALID_METRIC_NAME_BYTES];
    struct valid_costs costs;
    size_t num_values = 0;
    TRY(run(trainer, &costs));
    for (uint32_t i = 0; i < metrics->num; i++) {
        struct valid_metric *metric = &metrics->items[i];
        double value;
        TRY(evaluate(trainer, metric, &costs, &value));
        if (isnan(value))
            continue;
        bool is_best = valid_metric_note(metric, value, trainer->params.early_stopping_epsilon);
        log_metric(trainer, metric, value, is_best);
        if (is_best && trainer->params.keep_best)
            TRY(save_best(trainer, metric));
        snprintf(tags[i], sizeof tags[i], "valid/%s", metric->name);
        values[num_values++] = (struct event_value){tags[i], value};
    }
    history_add(trainer->history, trainer->state.updates, values, num_values);
    return VKS_OK;
}
