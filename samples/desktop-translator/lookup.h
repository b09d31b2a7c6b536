// What a word of the translation can tell: where it comes from, and what could stand in its place.
#ifndef DESKTOP_LOOKUP_H
#define DESKTOP_LOOKUP_H

#include "texts.h"
#include "jobs.h"

struct lookup_params {
    GtkTextView *target;       // borrowed
    GtkWidget *card;           // borrowed; a box that has it, to which the popover belongs
    const struct texts *texts; // borrowed
    struct worker *worker;     // borrowed
    // A beginning was chosen, from which on the segment is to be translated again.
    void (*chosen)(void *user, const struct segment *segment, const char *prefix);
    void (*failed)(void *user, const struct outcome *outcome);
    void *user;
};

struct lookup;

struct lookup *lookup_create(const struct lookup_params *params);
void lookup_destroy(struct lookup **lookup);

// Shows alternatives for the word at the target pane's cursor.
void lookup_show_at_cursor(struct lookup *lookup);
// The panes have changed, or their colours: takes highlights and the popover away.
void lookup_reset(struct lookup *lookup);

#endif
