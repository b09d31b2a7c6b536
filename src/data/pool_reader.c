#include "data/pool_reader.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"

struct pool_reader {
    struct pool_reader_params params;
    struct text_block block; // the thread's
    struct thread thread;
    bool is_started, has_monitor;
    atomic_bool is_dropped; // what the thread is at is no longer wanted
    struct monitor monitor; // guards what follows
    bool is_stopping, is_sought;
    uint64_t seek_idx, epoch, pool_idx; // wanted
    struct pool *ready;
    bool has_ended;         // no pool comes any more, because of
    enum vks_status status; // an error, or of the input's end
};

void pool_destroy(struct pool **pool) {
    if (!*pool)
        return;
    corpus_destroy(&(*pool)->corpus);
    free(*pool);
    *pool = NULL;
}

// Reads and encodes a pool; NULL if no pair of it is left. *is_end: the epoch has no more pairs.
static enum vks_status make_pool(struct pool_reader *reader, uint64_t epoch, uint64_t pool_idx,
                                 struct pool **pool, bool *is_end) {
    const struct pool_reader_params *p = &reader->params;
    TRY(pair_stream_read(p->stream, p->pool_pairs, &reader->block));
    *is_end = reader->block.num_pairs < p->pool_pairs;
    struct pool *made = memory_calloc(1, sizeof *made);
    if (!made) {
        log_error(p->encoder->log, "out of memory for a part of the text");
        return VKS_ERR_OOM;
    }
    made->epoch = epoch;
    made->pool_idx = pool_idx;
    enum vks_status status = corpus_encode(p->encoder, epoch, &reader->block, &made->corpus);
    if (status != VKS_OK || corpus_num_pairs(made->corpus) == 0)
        pool_destroy(&made);
    *pool = made;
    return status;
}

// Hands a pool over as soon as there is room for it; drops it when it is no longer wanted.
static void publish(struct pool_reader *reader, struct pool **pool) {
    monitor_enter(&reader->monitor);
    while (reader->ready && !atomic_load(&reader->is_dropped))
        monitor_wait(&reader->monitor);
    if (atomic_load(&reader->is_dropped)) {
        pool_destroy(pool);
    } else {
        reader->ready = *pool;
        *pool = NULL;
        monitor_notify(&reader->monitor);
    }
    monitor_leave(&reader->monitor);
}

// Hands over the pools of an epoch from one on; *num_pools counts them. A pool waits for the next
// one, so that the last is known.
static enum vks_status read_epoch(struct pool_reader *reader, uint64_t epoch, uint64_t pool_idx,
                                  uint64_t *num_pools) {
    struct pool *waiting = NULL, *made = NULL;
    uint64_t skip = pool_idx * reader->params.pool_pairs;
    bool is_end = false;
    *num_pools = 0;
    enum vks_status status =
        pair_stream_seek(reader->params.stream, epoch, skip, &reader->is_dropped);
    while (status == VKS_OK && !is_end && !atomic_load(&reader->is_dropped)) {
        status = make_pool(reader, epoch, pool_idx++, &made, &is_end);
        if (status != VKS_OK || !made)
            continue;
        ++*num_pools;
        if (waiting)
            publish(reader, &waiting);
        waiting = made;
    }
    if (waiting && is_end) {
        waiting->is_last = true;
        publish(reader, &waiting);
    }
    pool_destroy(&waiting);
    return status;
}

// Hands over pools from one on until something ends it.
static enum vks_status read_epochs(struct pool_reader *reader, uint64_t epoch, uint64_t pool_idx) {
    bool is_stdin = pair_stream_is_stdin(reader->params.stream);
    uint64_t num_pools;
    while (!atomic_load(&reader->is_dropped)) {
        TRY(read_epoch(reader, epoch, pool_idx, &num_pools));
        if (is_stdin)
            return VKS_OK;
        if (num_pools == 0 && pool_idx == 0 && !atomic_load(&reader->is_dropped)) {
            const struct encoder_params *encoder = reader->params.encoder;
            char name[512];
            text_sets_name(encoder->sets, encoder->num_sets, name, sizeof name);
            log_error(encoder->log,
                      "%s: no pair to use in epoch %llu: all have an empty side, or "
                      "more than %u tokens",
                      name, (unsigned long long)epoch + 1, encoder->max_length);
            return VKS_ERR_FORMAT;
        }
        epoch++;
        pool_idx = 0;
    }
    return VKS_OK;
}

static void *run(void *user) {
    struct pool_reader *reader = user;
    monitor_enter(&reader->monitor);
    while (!reader->is_stopping) {
        if (!reader->is_sought || reader->has_ended) {
            monitor_wait(&reader->monitor);
            continue;
        }
        uint64_t epoch = reader->epoch, pool_idx = reader->pool_idx;
        atomic_store(&reader->is_dropped, false);
        monitor_leave(&reader->monitor);
        enum vks_status status = read_epochs(reader, epoch, pool_idx);
        monitor_enter(&reader->monitor);
        if (atomic_load(&reader->is_dropped))
            continue;
        reader->has_ended = true;
        reader->status = status;
        monitor_notify(&reader->monitor);
    }
    monitor_leave(&reader->monitor);
    return NULL;
}

enum vks_status pool_reader_create(const struct pool_reader_params *params,
                                   struct pool_reader **result) {
    struct pool_reader *reader = memory_calloc(1, sizeof *reader);
    if (reader) {
        reader->params = *params;
        atomic_init(&reader->is_dropped, false);
        reader->has_monitor = monitor_init(&reader->monitor);
        reader->is_started = reader->has_monitor && thread_start(&reader->thread, run, reader);
    }
    if (!reader || !reader->is_started) {
        pool_reader_destroy(&reader);
        log_error(params->encoder->log, "cannot start a thread that reads the text");
        return VKS_ERR_OOM;
    }
    *result = reader;
    return VKS_OK;
}

void pool_reader_destroy(struct pool_reader **reader_ref) {
    struct pool_reader *reader = *reader_ref;
    if (!reader)
        return;
    if (reader->is_started) {
        pool_reader_stop(reader);
        thread_join(&reader->thread);
    }
    if (reader->has_monitor)
        monitor_finish(&reader->monitor);
    pool_destroy(&reader->ready);
    text_block_finish(&reader->block);
    free(reader);
    *reader_ref = NULL;
}

void pool_reader_seek(struct pool_reader *reader, uint64_t seek_idx, uint64_t epoch,
                      uint64_t pool_idx) {
    monitor_enter(&reader->monitor);
    reader->is_sought = true;
    reader->has_ended = false;
    reader->seek_idx = seek_idx;
    reader->epoch = epoch;
    reader->pool_idx = pool_idx;
    atomic_store(&reader->is_dropped, true);
    pool_destroy(&reader->ready);
    monitor_notify(&reader->monitor);
    monitor_leave(&reader->monitor);
}

void pool_reader_stop(struct pool_reader *reader) {
    monitor_enter(&reader->monitor);
    reader->is_stopping = true;
    atomic_store(&reader->is_dropped, true);
    monitor_notify(&reader->monitor);
    monitor_leave(&reader->monitor);
}

enum vks_status pool_reader_next(struct pool_reader *reader, uint64_t seek_idx,
                                 struct pool **pool) {
    enum vks_status status = VKS_OK;
    monitor_enter(&reader->monitor);
    while (!reader->ready && !reader->has_ended && !reader->is_stopping &&
           reader->seek_idx == seek_idx)
        monitor_wait(&reader->monitor);
    *pool = NULL;
    bool is_wanted = !reader->is_stopping && reader->seek_idx == seek_idx;
    if (is_wanted && reader->ready) {
        *pool = reader->ready;
        reader->ready = NULL;
        monitor_notify(&reader->monitor);
    } else if (is_wanted) {
        status = reader->status;
    }
    monitor_leave(&reader->monitor);
    return status;
}
