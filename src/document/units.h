// Text cut into what is translated as one, and put together again.
#ifndef DOCUMENT_UNITS_H
#define DOCUMENT_UNITS_H

#include "document/document_object.h"

// A line, or several of a paragraph in which a sentence goes on; without indentation, bullet, and
// white space around. Tabs part units as line ends do.
struct unit {
    size_t begin, end; // in the text
    size_t segment_idx;
    size_t num_lines, limit;       // of columns, if there are several lines
    size_t break_begin, break_end; // what parts its first two lines, then
};

// Zero-initialised is empty. items are owned: free.
struct units {
    struct unit *items;
    size_t num, capacity;
};

// Adds a segment of the document for each unit of a text that has words. Errors: VKS_ERR_OOM;
// units has something to free in any case.
VKS_MUST_CHECK enum vks_status units_cut(struct vks_document *document, const char *text,
                                         size_t num_bytes, struct units *units);

// Appends the text with the translations that its segments have.
void units_fill(const struct vks_document *document, const struct units *units, const char *text,
                size_t num_bytes, struct text_buffer *buffer);

#endif
