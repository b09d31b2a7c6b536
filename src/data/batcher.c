#include "data/batcher.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"

#include <stdlib.h>
#include <string.h>

// Two batches may be borrowed, two are prepared ahead.
enum { NUM_SLOTS = 4, NUM_AHEAD = 2, DEFAULT_POOL_PAIRS = 4000 };

struct position {
    uint64_t epoch, pool_idx, batch_idx;
};

struct batcher {
    struct epoch_plan_params plan_params; // of a stream's pools: all but the corpus
    const struct vks_log *log;
    uint32_t start_id;
    struct batch *slots[NUM_SLOTS];
    struct epoch_plan *counting_plan; // the caller's, for batcher_num_batches
    struct pool_reader *pools;        // of a stream; NULL: there is a corpus
    // The thread's: the plan that batches are filled by, and of a stream the pool that it is for.
    struct epoch_plan *filling_plan;
    struct pool *pool;
    uint64_t pool_seek_idx;
    struct thread thread;
    bool is_started, has_monitor;
    struct monitor monitor; // guards what follows
    bool is_stopping, has_begun;
    uint64_t num_seeks;
    struct position next; // of the batch to be filled next
    // Batches since the start, in slot number % NUM_SLOTS: num_filled ready, num_taken asked for.
    uint64_t num_filled, num_taken;
    bool has_ended;         // no batch comes any more, because of
    enum vks_status status; // an error, or of the input's end
};

// Links the labels of a pair that is about to be added.
static void fill_links(const struct corpus *corpus, uint32_t pair_idx, uint32_t num_tgt,
                       struct batch *batch) {
    size_t num, words = batch->link_words;
    const struct alignment_link *links = corpus_links(corpus, pair_idx, &num);
    uint32_t *rows = batch->links + batch->num_tgt * words;
    memset(rows, 0, num_tgt * words * sizeof *rows);
    for (size_t i = 0; i < num; i++) {
        CHECK(links[i].target < num_tgt && links[i].source / 32 < words);
        rows[links[i].target * words + links[i].source / 32] |= 1u << links[i].source % 32;
    }
}

static void fill_pair(const struct corpus *corpus, uint32_t pair_idx, uint32_t start_id,
                      struct batch *batch) {
    uint32_t num_src, num_tgt;
    const uint32_t *src = corpus_ids(corpus, VKS_SOURCE, pair_idx, &num_src);
    const uint32_t *tgt = corpus_ids(corpus, VKS_TARGET, pair_idx, &num_tgt);
    const float *weights = corpus_weights(corpus, pair_idx);
    if (weights)
        memcpy(batch->weights + batch->num_tgt, weights, num_tgt * sizeof *weights);
    if (batch->links)
        fill_links(corpus, pair_idx, num_tgt, batch);
    batch->places[batch->num_sequences] =
        (struct pair_place){corpus_set(corpus, pair_idx), corpus_line(corpus, pair_idx)};
    CHECK(batch_add_pair(batch, src, num_src, tgt, num_tgt, start_id));
}

static void fill(const struct batcher *batcher, const struct position *position,
                 struct batch *batch) {
    const struct epoch_plan *plan = batcher->filling_plan;
    const struct epoch_plan_batch *planned = &plan->batches[position->batch_idx];
    batch_clear(batch);
    batch->epoch = position->epoch;
    batch->pool_idx = position->pool_idx;
    batch->batch_idx = position->batch_idx;
    batch->last_of_epoch =
        position->batch_idx + 1 == plan->num_batches && (!batcher->pool || batcher->pool->is_last);
    for (uint32_t i = 0; i < planned->num; i++)
        fill_pair(plan->params.corpus, plan->pairs[planned->begin + i], batcher->start_id, batch);
}

// Takes the next pool and plans it; *position is then its first batch. *has_ended: there is none.
static enum vks_status take_pool(struct batcher *batcher, uint64_t num_seeks,
                                 struct position *position, bool *has_ended) {
    epoch_plan_destroy(&batcher->filling_plan);
    pool_destroy(&batcher->pool);
    enum vks_status status = pool_reader_next(batcher->pools, num_seeks, &batcher->pool);
    batcher->pool_seek_idx = num_seeks;
    *has_ended = !batcher->pool;
    if (!batcher->pool)
        return status;
    struct epoch_plan_params params = batcher->plan_params;
    params.corpus = batcher->pool->corpus;
    TRY(epoch_plan_create(&params, batcher->log, &batcher->filling_plan));
    epoch_plan_make(batcher->filling_plan, batcher->pool->epoch, batcher->pool->pool_idx);
    if (position->epoch != batcher->pool->epoch || position->pool_idx != batcher->pool->pool_idx)
        *position = (struct position){batcher->pool->epoch, batcher->pool->pool_idx, 0};
    return VKS_OK;
}

// Whether the thread's pool has the batch at a position.
static bool is_in_pool(const struct batcher *batcher, uint64_t num_seeks,
                       const struct position *position) {
    const struct pool *pool = batcher->pool;
    return pool && batcher->pool_seek_idx == num_seeks && pool->epoch == position->epoch &&
           pool->pool_idx == position->pool_idx &&
           position->batch_idx < batcher->filling_plan->num_batches;
}

// Fills the batch at a position, or the first one after it; *position is then where it was.
static enum vks_status fill_next(struct batcher *batcher, uint64_t num_seeks,
                                 struct position *position, struct batch *batch, bool *has_ended) {
    if (!batcher->pools)
        epoch_plan_make(batcher->filling_plan, position->epoch, 0);
    *has_ended = false;
    while (batcher->pools && !is_in_pool(batcher, num_seeks, position)) {
        TRY(take_pool(batcher, num_seeks, position, has_ended));
        if (*has_ended)
            return VKS_OK;
    }
    fill(batcher, position, batch);
    return VKS_OK;
}

static void *prefetch(void *user) {
    struct batcher *batcher = user;
    monitor_enter(&batcher->monitor);
    while (!batcher->is_stopping) {
        if (!batcher->has_begun || batcher->has_ended ||
            batcher->num_filled >= batcher->num_taken + NUM_AHEAD) {
            monitor_wait(&batcher->monitor);
            continue;
        }
        uint64_t num_seeks = batcher->num_seeks;
        struct position position = batcher->next;
        struct batch *batch = batcher->slots[batcher->num_filled % NUM_SLOTS];
        bool has_ended;
        monitor_leave(&batcher->monitor);
        enum vks_status status = fill_next(batcher, num_seeks, &position, batch, &has_ended);
        monitor_enter(&batcher->monitor);
        if (num_seeks != batcher->num_seeks)
            continue; // this batch is no longer wanted
        batcher->status = status;
        batcher->has_ended = status != VKS_OK || has_ended;
        if (!batcher->has_ended) {
            batcher->num_filled++;
            position.batch_idx++;
            batcher->next =
                batch->last_of_epoch ? (struct position){.epoch = position.epoch + 1} : position;
        }
        monitor_notify(&batcher->monitor);
    }
    monitor_leave(&batcher->monitor);
    return NULL;
}

static enum vks_status check_side(const struct batcher_params *params, enum vks_side side,
                                  uint32_t max_tokens) {
    const char *name = side == VKS_SOURCE ? "source" : "target";
    if (params->stream &&
        (params->encoder->max_length == 0 || params->encoder->max_length >= max_tokens)) {
        log_error(
            params->log,
            "sentences of up to %u tokens without </s>, but a batch has room for %u %s tokens",
            params->encoder->max_length, max_tokens, name);
        return VKS_ERR_ARGUMENT;
    }
    for (uint32_t i = 0; params->corpus && i < corpus_num_pairs(params->corpus); i++) {
        uint32_t num_ids = corpus_length(params->corpus, side, i);
        if (num_ids > max_tokens) {
            log_error(params->log,
                      "line %u of corpus %u: %u %s tokens with </s>, but a batch has room for %u",
                      corpus_line(params->corpus, i), corpus_set(params->corpus, i) + 1, num_ids,
                      name, max_tokens);
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

// Whether a label of any set has a weight.
static bool has_weights(const struct batcher_params *params) {
    return params->corpus ? corpus_has_weights(params->corpus)
                          : encoder_has_weights(params->encoder);
}

static struct epoch_plan_params plan_params_of(const struct batcher_params *params) {
    bool is_in_order = params->stream && params->shuffle == SHUFFLE_DATA;
    return (struct epoch_plan_params){
        .corpus = params->corpus,
        .mixture = params->mixture,
        .capacity = capacity_of(params),
        .pool_pairs = params->pool_pairs ? params->pool_pairs : DEFAULT_POOL_PAIRS,
        .shuffle = is_in_order ? SHUFFLE_BATCHES : params->shuffle,
        .sort = params->sort,
        .seed = params->seed,
    };
}

static enum vks_status allocate(struct batcher *batcher, const struct batcher_params *params) {
    struct epoch_plan_params *plan = &batcher->plan_params;
    *plan = plan_params_of(params);
    for (size_t i = 0; i < NUM_SLOTS; i++)
        TRY(batch_create(&plan->capacity, has_weights(params), params->link_words, params->log,
                         &batcher->slots[i]));
    if (params->stream) {
        const struct pool_reader_params pools = {params->stream, params->encoder, plan->pool_pairs};
        return pool_reader_create(&pools, &batcher->pools);
    }
    TRY(epoch_plan_create(plan, params->log, &batcher->counting_plan));
    return epoch_plan_create(plan, params->log, &batcher->filling_plan);
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
    created->log = params->stream ? params->encoder->log : params->log;
    created->has_begun = !params->stream; // reading a stream takes long: from where it is wanted
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
        if (destroyed->pools)
            pool_reader_stop(destroyed->pools);
        thread_join(&destroyed->thread);
    }
    if (destroyed->has_monitor)
        monitor_finish(&destroyed->monitor);
    for (size_t i = 0; i < NUM_SLOTS; i++)
        batch_destroy(&destroyed->slots[i]);
    epoch_plan_destroy(&destroyed->counting_plan);
    epoch_plan_destroy(&destroyed->filling_plan);
    pool_destroy(&destroyed->pool);
    pool_reader_destroy(&destroyed->pools);
    free(destroyed);
    *batcher = NULL;
}

uint32_t batcher_num_batches(struct batcher *batcher, uint64_t epoch) {
    epoch_plan_make(batcher->counting_plan, epoch, 0);
    return batcher->counting_plan->num_batches;
}

// The first pairs of a set's text, encoded.
static enum vks_status read_first_pool(const struct batcher_params *params, uint32_t num_pairs,
                                       struct text_block *block, struct corpus **corpus) {
    struct pair_reader *reader;
    struct text_pair pair;
    bool is_found = true;
    TRY(pair_reader_open(params->encoder->sets, 0, params->encoder->log, &reader));
    enum vks_status status = VKS_OK;
    while (status == VKS_OK && is_found && block->num_pairs < num_pairs) {
        status = pair_reader_next(reader, &pair, &is_found);
        if (status == VKS_OK && is_found && !text_block_add(block, &pair)) {
            log_error(params->log, "%s: out of memory", params->encoder->sets->source);
            status = VKS_ERR_OOM;
        }
    }
    pair_reader_close(&reader);
    return status == VKS_OK ? corpus_encode(params->encoder, 0, block, corpus) : status;
}

enum vks_status batcher_estimate(const struct batcher_params *params, double *num_batches,
                                 double *num_tokens) {
    struct epoch_plan_params plan_params = plan_params_of(params);
    struct text_block block = {0};
    struct corpus *corpus = NULL;
    struct epoch_plan *plan = NULL;
    enum vks_status status = VKS_OK;
    *num_batches = *num_tokens = 0;
    if (!pair_stream_is_stdin(params->stream))
        status = read_first_pool(params, plan_params.pool_pairs, &block, &corpus);
    if (status == VKS_OK && corpus && corpus_num_pairs(corpus) > 0) {
        double num_pools = (double)pair_stream_num_pairs(params->stream) / (double)block.num_pairs;
        plan_params.corpus = corpus;
        status = epoch_plan_create(&plan_params, params->log, &plan);
        if (status == VKS_OK) {
            epoch_plan_make(plan, 0, 0);
            *num_batches = num_pools * plan->num_batches;
            *num_tokens = num_pools * (double)corpus_num_tokens(corpus, VKS_TARGET);
        }
    }
    epoch_plan_destroy(&plan);
    corpus_destroy(&corpus);
    text_block_finish(&block);
    return status;
}

// Lets the thread go on from a position, within the monitor.
static void begin_at(struct batcher *batcher, const struct position *position) {
    batcher->num_seeks++;
    batcher->num_filled = batcher->num_taken;
    batcher->next = *position;
    batcher->has_begun = true;
    batcher->has_ended = false;
    if (batcher->pools)
        pool_reader_seek(batcher->pools, batcher->num_seeks, position->epoch, position->pool_idx);
    monitor_notify(&batcher->monitor);
}

bool batcher_seek(struct batcher *batcher, uint64_t epoch, uint64_t pool_idx, uint64_t batch_idx) {
    struct position position = {epoch, pool_idx, batch_idx};
    if (!batcher->pools) {
        uint32_t num_batches = batcher_num_batches(batcher, epoch);
        if (batch_idx > num_batches || pool_idx > 0)
            return false;
        if (batch_idx == num_batches)
            position = (struct position){.epoch = epoch + 1};
    }
    monitor_enter(&batcher->monitor);
    begin_at(batcher, &position);
    monitor_leave(&batcher->monitor);
    return true;
}

const struct batch *batcher_next(struct batcher *batcher) {
    monitor_enter(&batcher->monitor);
    if (!batcher->has_begun)
        begin_at(batcher, &(struct position){0});
    uint64_t number = batcher->num_taken++;
    monitor_notify(&batcher->monitor);
    while (batcher->num_filled <= number && !batcher->has_ended)
        monitor_wait(&batcher->monitor);
    bool is_filled = batcher->num_filled > number;
    monitor_leave(&batcher->monitor);
    return is_filled ? batcher->slots[number % NUM_SLOTS] : NULL;
}

enum vks_status batcher_status(struct batcher *batcher) {
    monitor_enter(&batcher->monitor);
    enum vks_status status = batcher->status;
    monitor_leave(&batcher->monitor);
    return status;
}
