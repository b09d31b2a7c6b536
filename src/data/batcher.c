#include "data/batcher.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "data/epoch_plan.h"

#include <stdlib.h>

// Two batches may be borrowed, two are prepared ahead.
enum { NUM_SLOTS = 4, NUM_AHEAD = 2, DEFAULT_POOL_PAIRS = 4000 };

struct batcher {
    const struct corpus *corpus;
    uint32_t start_id;
    struct batch *slots[NUM_SLOTS];
    struct epoch_plan *counting_plan; // the caller's, for batcher_num_batches
    struct epoch_plan *filling_plan;  // the thread's
    struct thread thread;
    bool is_started, has_monitor;
    struct monitor monitor; // guards what follows
    bool is_stopping;
    uint64_t num_seeks;
    uint64_t epoch, batch_idx; // of the batch to be filled next
    // Batches since the start, in slot number % NUM_SLOTS: num_filled ready, num_taken asked for.
    uint64_t num_filled, num_taken;
};

static void fill(const struct batcher *batcher, uint64_t batch_idx, struct batch *batch) {
    const struct epoch_plan *plan = batcher->filling_plan;
    const struct epoch_plan_batch *planned = &plan->batches[batch_idx];
    batch_clear(batch);
    batch->epoch = plan->epoch;
    batch->batch_idx = batch_idx;
    batch->last_of_epoch = batch_idx + 1 == plan->num_batches;
    for (uint32_t i = 0; i < planned->num; i++) {
        uint32_t pair_idx = plan->pairs[planned->begin + i], num_src, num_tgt;
        const uint32_t *src = corpus_ids(batcher->corpus, VKS_SOURCE, pair_idx, &num_src);
        const uint32_t *tgt = corpus_ids(batcher->corpus, VKS_TARGET, pair_idx, &num_tgt);
        batch->pairs[i] = pair_idx;
        CHECK(batch_add_pair(batch, src, num_src, tgt, num_tgt, batcher->start_id));
    }
}

static void *prefetch(void *user) {
    struct batcher *batcher = user;
    monitor_enter(&batcher->monitor);
    while (!batcher->is_stopping) {
        if (batcher->num_filled >= batcher->num_taken + NUM_AHEAD) {
            monitor_wait(&batcher->monitor);
            continue;
        }
        uint64_t num_seeks = batcher->num_seeks;
        uint64_t epoch = batcher->epoch, batch_idx = batcher->batch_idx;
        struct batch *batch = batcher->slots[batcher->num_filled % NUM_SLOTS];
        monitor_leave(&batcher->monitor);
        epoch_plan_make(batcher->filling_plan, epoch);
        fill(batcher, batch_idx, batch);
        monitor_enter(&batcher->monitor);
        if (num_seeks != batcher->num_seeks)
            continue; // this batch is no longer wanted
        batcher->num_filled++;
        batcher->epoch += batch->last_of_epoch;
        batcher->batch_idx = batch->last_of_epoch ? 0 : batch_idx + 1;
        monitor_notify(&batcher->monitor);
    }
    monitor_leave(&batcher->monitor);
    return NULL;
}

static enum vks_status check_side(const struct batcher_params *params, enum vks_side side,
                                  uint32_t max_tokens) {
    for (uint32_t i = 0; i < corpus_num_pairs(params->corpus); i++) {
        uint32_t num_ids = corpus_length(params->corpus, side, i);
        if (num_ids > max_tokens) {
            log_error(params->log,
                      "%s:%u: %u tokens with </s>, but a batch has room for %u %s tokens",
                      corpus_path(params->corpus, side), corpus_line(params->corpus, i), num_ids,
                      max_tokens, side == VKS_SOURCE ? "source" : "target");
            return VKS_ERR_ARGUMENT;
        }
    }
    return VKS_OK;
}

static enum vks_status check_params(const struct batcher_params *params) {
    if (params->max_src_tokens == 0 || params->max_tgt_tokens == 0) {
        log_error(params->log, "a batch of %u source and %u target tokens: expected more than 0",
                  params->max_src_tokens, params->max_tgt_tokens);
        return VKS_ERR_ARGUMENT;
    }
    TRY(check_side(params, VKS_SOURCE, params->max_src_tokens));
    return check_side(params, VKS_TARGET, params->max_tgt_tokens);
}

// Every sequence has a token on both sides, so that capacities are bounded by tokens.
static struct batch_capacity capacity_of(const struct batcher_params *params) {
    uint32_t num_sequences = min_u32(params->max_src_tokens, params->max_tgt_tokens);
    if (params->max_sequences)
        num_sequences = min_u32(num_sequences, params->max_sequences);
    if (params->max_pairs_per_batch)
        num_sequences = min_u32(num_sequences, params->max_pairs_per_batch);
    return (struct batch_capacity){num_sequences, params->max_src_tokens, params->max_tgt_tokens};
}

static enum vks_status allocate(struct batcher *batcher, const struct batcher_params *params) {
    const struct epoch_plan_params plan_params = {
        .corpus = params->corpus,
        .capacity = capacity_of(params),
        .pool_pairs = params->pool_pairs ? params->pool_pairs : DEFAULT_POOL_PAIRS,
        .shuffle = params->shuffle,
        .seed = params->seed,
    };
    TRY(epoch_plan_create(&plan_params, params->log, &batcher->counting_plan));
    TRY(epoch_plan_create(&plan_params, params->log, &batcher->filling_plan));
    for (size_t i = 0; i < NUM_SLOTS; i++)
        TRY(batch_create(&plan_params.capacity, params->log, &batcher->slots[i]));
    return VKS_OK;
}

static bool start_thread(struct batcher *batcher) {
    batcher->has_monitor = monitor_init(&batcher->monitor);
    batcher->is_started = batcher->has_monitor && thread_start(&batcher->thread, prefetch, batcher);
    return batcher->is_started;
}

enum vks_status batcher_create(const struct batcher_params *params, struct batcher **batcher) {
    TRY(check_params(params));
    struct batcher *created = memory_calloc(1, sizeof *created);
    if (!created) {
        log_error(params->log, "out of memory for a batcher");
        return VKS_ERR_OOM;
    }
    created->corpus = params->corpus;
    created->start_id = params->start_id;
    enum vks_status status = allocate(created, params);
    if (status == VKS_OK && !start_thread(created)) {
        log_error(params->log, "cannot start a thread that prepares batches");
        status = VKS_ERR_OOM;
    }
    if (status != VKS_OK) {
        batcher_destroy(&created);
        return status;
    }
    *batcher = created;
    return VKS_OK;
}

void batcher_destroy(struct batcher **batcher) {
    struct batcher *destroyed = *batcher;
    if (!destroyed)
        return;
    if (destroyed->is_started) {
        monitor_enter(&destroyed->monitor);
        destroyed->is_stopping = true;
        monitor_notify(&destroyed->monitor);
        monitor_leave(&destroyed->monitor);
        thread_join(&destroyed->thread);
    }
    if (destroyed->has_monitor)
        monitor_finish(&destroyed->monitor);
    for (size_t i = 0; i < NUM_SLOTS; i++)
        batch_destroy(&destroyed->slots[i]);
    epoch_plan_destroy(&destroyed->counting_plan);
    epoch_plan_destroy(&destroyed->filling_plan);
    free(destroyed);
    *batcher = NULL;
}

uint32_t batcher_num_batches(struct batcher *batcher, uint64_t epoch) {
    epoch_plan_make(batcher->counting_plan, epoch);
    return batcher->counting_plan->num_batches;
}

bool batcher_seek(struct batcher *batcher, uint64_t epoch, uint64_t batch_idx) {
    uint32_t num_batches = batcher_num_batches(batcher, epoch);
    if (batch_idx > num_batches)
        return false;
    monitor_enter(&batcher->monitor);
    batcher->num_seeks++;
    batcher->num_filled = batcher->num_taken;
    batcher->epoch = batch_idx == num_batches ? epoch + 1 : epoch;
    batcher->batch_idx = batch_idx == num_batches ? 0 : batch_idx;
    monitor_notify(&batcher->monitor);
    monitor_leave(&batcher->monitor);
    return true;
}

const struct batch *batcher_next(struct batcher *batcher) {
    monitor_enter(&batcher->monitor);
    uint64_t number = batcher->num_taken++;
    monitor_notify(&batcher->monitor);
    while (batcher->num_filled <= number)
        monitor_wait(&batcher->monitor);
    monitor_leave(&batcher->monitor);
    return batcher->slots[number % NUM_SLOTS];
}
