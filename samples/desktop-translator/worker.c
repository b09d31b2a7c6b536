#include "worker.h"

#include "engine.h"

struct worker {
    GThread *thread;
    GAsyncQueue *jobs; // owns what waits
    GMutex lock;
    struct job *running; // borrowed; under lock
    gint is_ending;
};

static gboolean finish_job(void *user) {
    struct job *job = user;
    if (job->done)
        job->done(job);
    return G_SOURCE_REMOVE;
}

static void destroy_job(void *user) {
    struct job *job = user;
    job->destroy(job);
}

static void end_run(struct job *job, struct engine *engine) {
    (void)job, (void)engine;
}

static void set_running(struct worker *worker, struct job *job) {
    g_mutex_lock(&worker->lock);
    worker->running = job;
    if (job && g_atomic_int_get(&worker->is_ending))
        job_cancel(job);
    g_mutex_unlock(&worker->lock);
}

static void *run_jobs(void *user) {
    struct worker *worker = user;
    struct engine *engine = engine_create();
    for (;;) {
        struct job *job = g_async_queue_pop(worker->jobs);
        bool is_last = job->run == end_run;
        set_running(worker, job);
        if (!g_atomic_int_get(&worker->is_ending))
            job->run(job, engine);
        set_running(worker, NULL);
        job_report(finish_job, job, destroy_job);
        if (is_last)
            break;
    }
    engine_destroy(&engine);
    return NULL;
}

struct worker *worker_create(void) {
    struct worker *worker = g_new0(struct worker, 1);
    g_mutex_init(&worker->lock);
    worker->jobs = g_async_queue_new();
    worker->thread = g_thread_new("vkseq", run_jobs, worker);
    return worker;
}

static void free_last(struct job *job) {
    g_free(job);
}

void worker_destroy(struct worker **worker) {
    if (!*worker)
        return;
    struct job *last = g_new0(struct job, 1);
    last->run = end_run;
    last->destroy = free_last;
    g_mutex_lock(&(*worker)->lock);
    g_atomic_int_set(&(*worker)->is_ending, 1);
    if ((*worker)->running)
        job_cancel((*worker)->running);
    g_mutex_unlock(&(*worker)->lock);
    g_async_queue_push((*worker)->jobs, last);
    g_thread_join((*worker)->thread);
    g_async_queue_unref((*worker)->jobs);
    g_mutex_clear(&(*worker)->lock);
    g_clear_pointer(worker, g_free);
}

void worker_push(struct worker *worker, struct job *job) {
    g_async_queue_push(worker->jobs, job);
}

void job_cancel(struct job *job) {
    g_atomic_int_set(&job->is_cancelled, 1);
}

bool job_is_cancelled(const struct job *job) {
    return g_atomic_int_get(&job->is_cancelled);
}

void job_report(GSourceFunc function, void *data, GDestroyNotify release) {
    g_idle_add_full(G_PRIORITY_DEFAULT, function, data, release);
}
