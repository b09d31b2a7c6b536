// What the window has the worker do. Each job has what it needs and what it found; whoever pushes
// it sets job.done and job.owner, and borrows it until done returns.
#ifndef DESKTOP_JOBS_H
#define DESKTOP_JOBS_H

#include "engine.h"
#include "worker.h"

// How a job ended, and what vkseq said about it.
struct outcome {
    enum vks_status status;
    char *messages;
};

struct devices_job {
    struct job job;
    struct outcome outcome;
    struct vks_device_info *infos;
    size_t num_infos;
    bool has_default;
    uint32_t default_index; // of the device that is taken when none is chosen
};
struct devices_job *devices_job_create(void);

struct open_job {
    struct job job;
    struct outcome outcome;
    struct engine_choice choice;
    struct vks_device_info device; // which was opened
};
// device: its index.
struct open_job *open_job_create(const char *model_dir, uint32_t device);

struct translate_job {
    struct job job;
    struct outcome outcome;
    char **lines, **prefixes; // [num], ended by NULL
    size_t num;
    struct sentence **sentences;                 // [num], those done so far
    size_t num_done;                             // on the main thread: how many there are
    void (*advanced)(struct translate_job *job); // on the main thread, when there are more
    uint64_t num_tokens;                         // of the translations
    double seconds;                              // that translating took
    bool was_lost;                               // the device, on the way
};
// Takes the lists, which end with NULL; prefixes may be NULL.
struct translate_job *translate_job_create(char **lines, char **prefixes);

struct alternatives_job {
    struct job job;
    struct outcome outcome;
    char *line, *prefix;
    struct alternative *alternatives;
    size_t num;
};
struct alternatives_job *alternatives_job_create(const char *line, const char *prefix);

#endif
