// Translates what is in the source pane, a moment after it changed.
#ifndef DESKTOP_LIVE_H
#define DESKTOP_LIVE_H

#include "jobs.h"
#include "texts.h"

struct live_params {
    struct texts *texts;   // borrowed
    struct worker *worker; // borrowed
    // Something changed: the panes, or how far the work is.
    void (*changed)(void *user);
    // A translation ended; a failed one has a status other than VKS_OK and VKS_ERR_CANCELLED.
    void (*ended)(void *user, const struct translate_job *job);
    void *user;
};

struct live;

struct live *live_create(const struct live_params *params);
void live_destroy(struct live **live);

// Whether there is a model to translate with; false at first. Setting it starts anew.
void live_set_ready(struct live *live, bool is_ready);

// The source pane has changed: what runs is cancelled, and what is new translated after a moment.
void live_touch(struct live *live);
// Stops, until the next change.
void live_cancel(struct live *live);

// Translates a segment again, beginning with a text.
void live_translate_from(struct live *live, const struct segment *segment, const char *prefix);

// How much is done, in lines; false if nothing runs. left_s is less than 0 while it is not known.
struct live_progress {
    size_t num_done, num_lines;
    double fraction, running_s, left_s;
};
bool live_progress(const struct live *live, struct live_progress *progress);

#endif
