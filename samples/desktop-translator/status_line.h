// The line under the panes: what the program does, how fast it was, and how far it is.
#ifndef DESKTOP_STATUS_LINE_H
#define DESKTOP_STATUS_LINE_H

#include "live.h"

struct status_line;

// builder, live: borrowed while the line lives.
struct status_line *status_line_create(GtkBuilder *builder, const struct live *live);
void status_line_destroy(struct status_line **line);

// Says that something goes on that has no end yet, such as opening a model.
void status_line_set_busy(struct status_line *line, const char *text);
void status_line_set_text(struct status_line *line, const char *text);
// Says how a translation ended: on which device, how long it took, and how fast it was.
void status_line_set_result(struct status_line *line, const char *device,
                            const struct translate_job *job);
// The work began, went on or ended.
void status_line_update(struct status_line *line);

#endif
