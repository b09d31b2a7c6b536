// The text and its translation in the two panes, line by line.
#ifndef DESKTOP_TEXTS_H
#define DESKTOP_TEXTS_H

#include "sentence.h"

#include <gtk/gtk.h>

struct segment {
    char *source;
    struct sentence *sentence;      // owned; NULL: not translated yet
    char *shown;                    // the translation in the pane, also an older or unfinished one
    int source_start, target_start; // characters of the panes
};

struct texts {
    GtkTextBuffer *source, *target; // owned
    GPtrArray *segments;            // struct segment, one a line
};

void texts_init(struct texts *texts, GtkTextBuffer *source, GtkTextBuffer *target);
void texts_finish(struct texts *texts);

// Takes the lines of the source pane for segments, with the translations that are known of them.
void texts_read(struct texts *texts);
// Forgets all translations; they stay in the pane until there are others.
void texts_forget(struct texts *texts);

struct segment *texts_segment(const struct texts *texts, size_t segment_idx);
// Whether a segment has a sentence to translate and no translation.
bool segment_is_missing(const struct segment *segment);

// Gives a segment its translation, of which it keeps a reference.
void segment_set(struct segment *segment, struct sentence *sentence);
// Shows text for a segment that has no translation yet.
void segment_preview(struct segment *segment, const char *text);

// Brings the target pane up to date, by the smallest edit.
void texts_show(struct texts *texts);

// All of a buffer, owned by the caller (g_free).
char *texts_content(GtkTextBuffer *buffer);

// The segment that has a character of the target pane; NULL: none. *position: the character in it.
struct segment *texts_at(const struct texts *texts, int offset, int *position);

#endif
