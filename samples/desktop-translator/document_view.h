// Opening and saving: a document takes the place of typed text until it is closed.
#ifndef DESKTOP_DOCUMENT_VIEW_H
#define DESKTOP_DOCUMENT_VIEW_H

#include "live.h"
#include "notices.h"

#include <gtk/gtk.h>

struct document_view_params {
    GtkBuilder *builder; // all borrowed
    struct texts *texts;
    struct live *live;
    struct worker *worker;
    struct notices *notices;
};

struct document_view;

struct document_view *document_view_create(const struct document_view_params *params);
void document_view_destroy(struct document_view **view);

// Opens a document in the place of another, unless the user wants to keep that.
void document_view_open(struct document_view *view, const char *path);
void document_view_ask_open(struct document_view *view);
void document_view_ask_save(struct document_view *view);

// Says how much of the document is translated.
void document_view_update(struct document_view *view);

bool document_view_is_open(const struct document_view *view);
// Back to typed text, of which there is none then, unless the user wants to keep the document.
void document_view_close(struct document_view *view);

// Calls then(user) when closing the document loses no translation: at once, or after the user was
// asked and has saved or discarded it; never, if the user wants to go on with it.
void document_view_leave(struct document_view *view, void (*then)(void *user), void *user);

#endif
