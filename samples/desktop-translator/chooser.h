// A drop-down list of things with a name, and a line that says more.
#ifndef DESKTOP_CHOOSER_H
#define DESKTOP_CHOOSER_H

#include <gtk/gtk.h>

struct chooser;

// kind: what is chosen, such as "Model". chosen: the user took another entry.
struct chooser *chooser_create(GtkDropDown *drop_down, const char *kind,
                               void (*chosen)(void *user, guint idx), void *user);
void chooser_destroy(struct chooser **chooser);

// Fills the list, with none chosen. details [num], one for each name.
void chooser_fill(struct chooser *chooser, const char *const *names, const char *const *details,
                  guint num);
// GTK_INVALID_LIST_POSITION: none.
void chooser_select(struct chooser *chooser, guint idx);
guint chooser_selected(const struct chooser *chooser);

#endif
