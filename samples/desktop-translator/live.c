#include "live.h"

#include <string.h>

// From the last keystroke to the work.
enum { DELAY_MS = 120 };
// After less time an estimate is not worth telling.
static const double MIN_ESTIMATE_S = 2.5;

struct live {
    struct live_params params;
    bool is_ready;
    guint timer;
    struct translate_job *job; // borrowed from the worker
    size_t *segment_idxs;      // [job->num] of the texts
    size_t num_taken;          // sentences of the job that the texts have
    size_t taken_bytes, job_bytes;
    gint64 start_us;
    // The first block, in which drivers still compile, is no measure of those that follow.
    size_t first_bytes;
    gint64 first_us;
};

struct live *live_create(const struct live_params *params) {
    struct live *live = g_new0(struct live, 1);
    live->params = *params;
    return live;
}

static void stop_timer(struct live *live) {
    if (live->timer)
        g_source_remove(live->timer);
    live->timer = 0;
}

// Lets the job end by itself, unheard.
static void drop_job(struct live *live) {
    if (!live->job)
        return;
    job_cancel(&live->job->job);
    live->job->job.done = NULL;
    live->job->advanced = NULL;
    live->job = NULL;
    g_clear_pointer(&live->segment_idxs, g_free);
}

void live_destroy(struct live **live) {
    if (!*live)
        return;
    stop_timer(*live);
    drop_job(*live);
    g_clear_pointer(live, g_free);
}

static void take_sentences(struct translate_job *job) {
    struct live *live = job->job.owner;
    for (; live->num_taken < job->num_done; live->num_taken++) {
        struct sentence *sentence = job->sentences[live->num_taken];
        segment_set(texts_segment(live->params.texts, live->segment_idxs[live->num_taken]),
                    sentence);
        live->taken_bytes += strlen(sentence->source);
    }
    if (live->first_bytes == 0) {
        live->first_bytes = live->taken_bytes;
        live->first_us = g_get_monotonic_time();
    }
    texts_show(live->params.texts);
    live->params.changed(live->params.user);
}

static gboolean start(void *user);

static void end_job(struct job *user) {
    struct translate_job *job = (struct translate_job *)user;
    struct live *live = job->job.owner;
    live->job = NULL;
    g_clear_pointer(&live->segment_idxs, g_free);
    live->params.changed(live->params.user);
    live->params.ended(live->params.user, job);
    // What one line's translation from a word on has interrupted goes on.
    if (job->prefixes && job->outcome.status == VKS_OK && !live->timer)
        start(live);
}

// Takes the lists.
static void push(struct live *live, char **lines, char **prefixes, size_t *segment_idxs) {
    live->job = translate_job_create(lines, prefixes);
    live->job->job.owner = live;
    live->job->job.done = end_job;
    live->job->advanced = take_sentences;
    live->segment_idxs = segment_idxs;
    live->num_taken = live->taken_bytes = live->job_bytes = live->first_bytes = 0;
    for (size_t i = 0; i < live->job->num; i++)
        live->job_bytes += strlen(lines[i]);
    live->start_us = g_get_monotonic_time();
    worker_push(live->params.worker, &live->job->job);
}

static gboolean start(void *user) {
    struct live *live = user;
    struct texts *texts = live->params.texts;
    live->timer = 0;
    drop_job(live);
    texts_read(texts);
    texts_show(texts);
    GPtrArray *lines = g_ptr_array_new();
    size_t *segment_idxs = g_new0(size_t, texts->segments->len);
    for (guint i = 0; i < texts->segments->len; i++)
        if (segment_is_missing(texts_segment(texts, i))) {
            segment_idxs[lines->len] = i;
            g_ptr_array_add(lines, g_strdup(texts_segment(texts, i)->source));
        }
    guint num = lines->len;
    g_ptr_array_add(lines, NULL);
    char **list = (char **)g_ptr_array_free(lines, FALSE);
    if (num > 0 && live->is_ready) {
        push(live, list, NULL, segment_idxs);
    } else {
        g_strfreev(list);
        g_free(segment_idxs);
    }
    live->params.changed(live->params.user);
    return G_SOURCE_REMOVE;
}

void live_set_ready(struct live *live, bool is_ready) {
    live->is_ready = is_ready;
    stop_timer(live);
    drop_job(live);
    if (is_ready) {
        texts_forget(live->params.texts);
        start(live);
    }
}

void live_touch(struct live *live) {
    stop_timer(live);
    if (live->job)
        job_cancel(&live->job->job);
    live->timer = g_timeout_add(DELAY_MS, start, live);
}

void live_cancel(struct live *live) {
    stop_timer(live);
    drop_job(live);
    live->params.changed(live->params.user);
}

void live_translate_from(struct live *live, const struct segment *segment, const char *prefix) {
    const struct texts *texts = live->params.texts;
    guint segment_idx;
    if (!g_ptr_array_find(texts->segments, segment, &segment_idx))
        return;
    stop_timer(live);
    drop_job(live);
    char **lines = g_new0(char *, 2), **prefixes = g_new0(char *, 2);
    size_t *segment_idxs = g_new0(size_t, 1);
    lines[0] = g_strdup(segment->source);
    prefixes[0] = g_strdup(prefix);
    *segment_idxs = segment_idx;
    push(live, lines, prefixes, segment_idxs);
    live->params.changed(live->params.user);
}

bool live_progress(const struct live *live, struct live_progress *progress) {
    if (!live->job)
        return false;
    gint64 now = g_get_monotonic_time();
    double left_bytes = (double)(live->job_bytes - live->taken_bytes);
    double since_first_s = (double)(now - live->first_us) / G_USEC_PER_SEC;
    *progress = (struct live_progress){.num_done = live->num_taken,
                                       .num_lines = live->job->num,
                                       .fraction = 1 - left_bytes / (double)MAX(live->job_bytes, 1),
                                       .running_s = (double)(now - live->start_us) / G_USEC_PER_SEC,
                                       .left_s = -1};
    if (live->taken_bytes > live->first_bytes && since_first_s > MIN_ESTIMATE_S)
        progress->left_s =
            since_first_s * left_bytes / (double)(live->taken_bytes - live->first_bytes);
    return true;
}
