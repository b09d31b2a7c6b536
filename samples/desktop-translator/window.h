// The window.
#ifndef DESKTOP_WINDOW_H
#define DESKTOP_WINDOW_H

#include "settings.h"

#include <gtk/gtk.h>

struct window;

// settings: borrowed while the window lives, and kept up to date. The window belongs to the
// application and is destroyed with its GTK window, after which closed(user) is called.
struct window *window_create(GtkApplication *application, struct settings *settings);
void window_destroy(struct window **window);

void window_present(struct window *window);
// A model's folder becomes the model; a file is opened as a document.
void window_open(struct window *window, const char *path);

#endif
