// What a document is inside, and what a format has to do.
#ifndef DOCUMENT_DOCUMENT_OBJECT_H
#define DOCUMENT_DOCUMENT_OBJECT_H

#include "base/arena.h"
#include "base/log.h"
#include "document/growing.h"
#include "vkseq/document.h"

struct document_segment {
    const char *text;  // in the document's arena
    char *translation; // owned; as it is put into the document; NULL: none
    bool is_lost;      // there was one, without the placeholders
    size_t owner;      // of the kind: the entry or subtitle that it belongs to
};

// A format. Its functions report their failures.
struct document_kind {
    const char *unit;
    // Reads the document's bytes, and adds its segments.
    enum vks_status (*parse)(struct vks_document *document);
    // A segment has got or lost its translation; may be NULL.
    enum vks_status (*update)(struct vks_document *document, size_t segment_idx);
    // Appends the whole document.
    enum vks_status (*write)(const struct vks_document *document, struct text_buffer *buffer);
    void (*count)(const struct vks_document *document, struct vks_document_counts *counts);
    // May be NULL, where no entries are fuzzy.
    enum vks_status (*include_fuzzy)(struct vks_document *document);
    // Releases the state; may follow a parse that failed.
    void (*finish)(struct vks_document *document);
};

struct vks_document {
    const char *name; // for messages; in the arena
    const struct vks_log *log;
    const struct document_kind *kind;
    char *bytes; // owned; as it was read: UTF-8, with a NUL behind it
    size_t num_bytes;
    struct arena arena;
    struct document_segment *segments; // owned
    size_t num_segments, capacity;
    void *state; // of the kind
};

// Reports that memory ran out, if that is the status. Returns the status.
enum vks_status document_report(const struct vks_document *document, enum vks_status status);

// Adds a text to translate, which is copied. Errors: VKS_ERR_OOM, not reported, as by all functions
// that formats share.
VKS_MUST_CHECK enum vks_status document_add_segment(struct vks_document *document, const char *text,
                                                    size_t num_bytes, size_t *segment_idx);

// Bytes of the byte-order mark that the document begins with, 0 or 3.
size_t document_mark_bytes(const struct vks_document *document);

// The number of the line in which a byte stands, from 1.
size_t document_line(const struct vks_document *document, size_t at);

#endif
