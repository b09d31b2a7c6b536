// The window's parts, for the files that it is made of: window.c, window_actions.c and setup.c.
#ifndef DESKTOP_WINDOW_PARTS_H
#define DESKTOP_WINDOW_PARTS_H

#include "alternatives.h"
#include "document_view.h"
#include "setup.h"
#include "status_line.h"
#include "theme.h"
#include "window.h"

struct window {
    GtkApplicationWindow *window;
    struct settings *settings; // borrowed
    GtkTextView *source, *target;
    GtkLabel *source_hint, *source_count, *target_hint;
    struct texts texts;
    struct worker *worker;
    struct live *live;
    struct lookup *lookup;
    struct notices *notices;
    struct setup *setup;
    struct status_line *status;
    struct document_view *document;
    struct theme_switch *theme;
};

// Adds the actions to the window, and their keys to the application.
void window_add_actions(struct window *window, GtkApplication *application);
// Actions hold for what is in the panes.
void window_update_actions(struct window *window);

#endif
