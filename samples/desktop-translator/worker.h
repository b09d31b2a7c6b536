// The thread in which all of vkseq runs, and its queue of jobs.
#ifndef DESKTOP_WORKER_H
#define DESKTOP_WORKER_H

#include <glib.h>
#include <stdbool.h>

struct engine;

// The first member of a struct with what the job needs and gives.
struct job {
    void (*run)(struct job *job, struct engine *engine); // on the worker's thread
    void (*done)(struct job *job);    // then on the main thread, cancelled or not; may be NULL
    void (*destroy)(struct job *job); // last, on the main thread
    void *owner;                      // borrowed; for done and reports
    gint is_cancelled;
};

struct worker;

struct worker *worker_create(void);
// Cancels what runs, drops what waits, and waits for the thread.
void worker_destroy(struct worker **worker);

// Takes the job. Jobs run one after the other, in the order in which they were pushed.
void worker_push(struct worker *worker, struct job *job);

// Asks a job to end early. It still is done and destroyed.
void job_cancel(struct job *job);
bool job_is_cancelled(const struct job *job);

// Has function(data) called on the main thread, before the job is done. Takes data, which release
// frees. For a job's run.
void job_report(GSourceFunc function, void *data, GDestroyNotify release);

#endif
