// What the window tells its user over the panes: what is wrong, and what to do.
#ifndef DESKTOP_NOTICES_H
#define DESKTOP_NOTICES_H

#include "jobs.h"

#include <gtk/gtk.h>

struct notices;

struct notices *notices_create(GtkBuilder *builder);
void notices_destroy(struct notices **notices);
void notices_hide(struct notices *notices);

// What is shown now, so that whoever showed it can take it back when it no longer holds.
enum notice_kind {
    NOTICE_NONE,
    NOTICE_SETUP, // no model is open on a device
    NOTICE_FOLDER,
    NOTICE_TRANSLATION,
    NOTICE_DOCUMENT
};
enum notice_kind notices_kind(const struct notices *notices);

// There is no device to compute on.
void notices_show_no_device(struct notices *notices, const struct outcome *outcome);
// There is no model; folder is where to put one.
void notices_show_no_model(struct notices *notices, const char *folder);
// A folder is no model.
void notices_show_not_a_model(struct notices *notices, const char *path);
// A device cannot be used, for the reason that is given.
void notices_show_unusable(struct notices *notices, const char *device, const char *reason);
// A model could not be opened on a device.
void notices_show_open_failed(struct notices *notices, const char *model, const char *device,
                              const struct outcome *outcome);
// Translating failed.
void notices_show_translate_failed(struct notices *notices, const char *device,
                                   const struct outcome *outcome);
// A file could not be read or written; why may be NULL.
void notices_show_unreadable(struct notices *notices, const char *path, enum vks_status status,
                             const char *why);
void notices_show_unwritable(struct notices *notices, const char *path, const char *why);
// A document was saved. details may be NULL.
void notices_show_saved(struct notices *notices, const char *path, const char *details);

#endif
