// Documents as the worker reads and writes them.
#ifndef DESKTOP_DOCUMENT_JOBS_H
#define DESKTOP_DOCUMENT_JOBS_H

#include "jobs.h"

#include <vkseq/document.h>

struct read_job {
    struct job job;
    struct outcome outcome;
    char *path;
    struct vks_document *document; // whoever takes it sets it to NULL
    char *text;                    // its segments, a line each
    size_t num_segments;
};
struct read_job *read_job_create(const char *path);

struct write_job {
    struct job job;
    struct outcome outcome;
    char *path;
    struct vks_document *document; // borrowed; NULL: a text is written
    char **translations;           // [num] of the document's segments; NULL ones are left out;
                                   // whoever takes them sets this to NULL
    size_t num;
    char *text;
    struct vks_document_counts counts; // of what was written
    const char *unit;                  // of these
};
// Takes the translations, and frees them.
struct write_job *write_job_create(const char *path, struct vks_document *document,
                                   char **translations, size_t num);
struct write_job *write_text_job_create(const char *path, const char *text);

// Closes a document, which it takes.
struct job *close_job_create(struct vks_document *document);

#endif
