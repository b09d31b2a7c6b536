#include "base/check.h"
#include "base/memory.h"
#include "document/document_object.h"
#include "document/endings.h"
#include "document/plain_text.h"
#include "document/po_document.h"
#include "document/subtitles.h"
#include "document/survival.h"
#include "io/files.h"

#include <ctype.h>

#define MAX_BYTES ((size_t)1 << 30)

enum vks_status document_report(const struct vks_document *document, enum vks_status status) {
    if (status == VKS_ERR_OOM)
        log_error(document->log, "%s: out of memory", document->name);
    return status;
}

static bool ends_with(const char *path, const char *ending) {
    size_t num_path = strlen(path), num_ending = strlen(ending);
    if (num_path < num_ending)
        return false;
    for (size_t i = 0; i < num_ending; i++)
        if (tolower((unsigned char)path[num_path - num_ending + i]) != ending[i])
            return false;
    return true;
}

static enum vks_document_format format_of(const char *path) {
    if (ends_with(path, ".po") || ends_with(path, ".pot"))
        return VKS_DOCUMENT_PO;
    return ends_with(path, ".srt") ? VKS_DOCUMENT_SRT : VKS_DOCUMENT_TEXT;
}

static enum vks_status choose_kind(struct vks_document *document, enum vks_document_format format) {
    switch (format) {
    case VKS_DOCUMENT_TEXT:
        document->kind = &document_text;
        return VKS_OK;
    case VKS_DOCUMENT_SRT:
        document->kind = &document_srt;
        return VKS_OK;
    case VKS_DOCUMENT_PO:
#ifdef VKSEQ_WITH_PO
        document->kind = &document_po;
        return VKS_OK;
#else
        log_error(document->log,
                  "%s: PO documents cannot be read: this vkseq was built without libgettextpo",
                  document->name);
        return VKS_ERR_UNSUPPORTED;
#endif
    default:
        log_error(document->log, "%s: there is no document format %d", document->name, format);
        return VKS_ERR_ARGUMENT;
    }
}

size_t document_mark_bytes(const struct vks_document *document) {
    return strncmp(document->bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

size_t document_line(const struct vks_document *document, size_t at) {
    size_t line = 1;
    for (size_t i = 0; i < at; i++)
        line += document->bytes[i] == '\n';
    return line;
}

// The first byte that is no text: a NUL, or where UTF-8 ends.
static enum vks_status check_text(const struct vks_document *document) {
    for (size_t begin = 0, end; begin < document->num_bytes; begin = end) {
        const char *line = document->bytes + begin, *newline;
        newline = memchr(line, '\n', document->num_bytes - begin);
        end = newline ? (size_t)(newline - document->bytes) + 1 : document->num_bytes;
        const char *fault = memchr(line, '\0', end - begin) ? "there is a NUL byte" : NULL;
        if (!fault && !vks_utf8_is_valid(line, end - begin))
            fault = "not UTF-8";
        if (!fault)
            continue;
        log_error(document->log, "%s:%zu: %s; expected text in UTF-8", document->name,
                  document_line(document, begin), fault);
        return VKS_ERR_FORMAT;
    }
    return VKS_OK;
}

static enum vks_status read_document(struct vks_document *document, const char *path) {
    unsigned char *bytes;
    bool is_stdin = !strcmp(path, "-");
    document->name = arena_strdup(&document->arena, is_stdin ? "standard input" : path);
    if (!document->name) {
        log_error(document->log, "%s: out of memory", path);
        return VKS_ERR_OOM;
    }
    TRY(is_stdin ? file_read_stdin(MAX_BYTES, document->log, &bytes, &document->num_bytes)
                 : file_read(path, MAX_BYTES, document->log, &bytes, &document->num_bytes));
    document->bytes = (char *)bytes;
    return VKS_OK;
}

enum vks_status vks_document_open(const char *path, enum vks_document_format format,
                                  const struct vks_log *log, struct vks_document **result) {
    struct vks_document *document = memory_calloc(1, sizeof *document);
    if (!document) {
        log_error(log, "%s: out of memory", path);
        return VKS_ERR_OOM;
    }
    document->log = log;
    enum vks_status status = read_document(document, path);
    if (status == VKS_OK)
        status = choose_kind(document, format == VKS_DOCUMENT_AUTO ? format_of(path) : format);
    if (status == VKS_OK)
        status = check_text(document);
    if (status == VKS_OK)
        status = document->kind->parse(document);
    if (status != VKS_OK)
        vks_document_close(&document);
    else
        *result = document;
    return status;
}

enum vks_status vks_document_include_fuzzy(struct vks_document *document) {
    return document->kind->include_fuzzy ? document->kind->include_fuzzy(document) : VKS_OK;
}

void vks_document_close(struct vks_document **document_ref) {
    struct vks_document *document = *document_ref;
    if (!document)
        return;
    if (document->kind && document->kind->finish)
        document->kind->finish(document);
    for (size_t i = 0; i < document->num_segments; i++)
        free(document->segments[i].translation);
    free(document->segments);
    free(document->bytes);
    arena_finish(&document->arena);
    free(document);
    *document_ref = NULL;
}

enum vks_status document_add_segment(struct vks_document *document, const char *text,
                                     size_t num_bytes, size_t *segment_idx) {
    struct document_segment *segments =
        items_grown(document->segments, document->num_segments, &document->capacity,
                    sizeof *document->segments);
    char *copy = arena_alloc(&document->arena, num_bytes + 1, 1);
    if (segments)
        document->segments = segments;
    if (!segments || !copy)
        return VKS_ERR_OOM;
    memcpy(copy, text, num_bytes);
    *segment_idx = document->num_segments++;
    segments[*segment_idx] = (struct document_segment){.text = copy};
    return VKS_OK;
}

size_t vks_document_num_segments(const struct vks_document *document) {
    return document->num_segments;
}

const char *vks_document_segment(const struct vks_document *document, size_t segment_idx) {
    CHECK(segment_idx < document->num_segments);
    return document->segments[segment_idx].text;
}

// *finished is what goes into the document, NULL if that is nothing.
static enum vks_status finish_translation(const char *source, const char *text, char **finished,
                                          bool *is_lost) {
    struct text_buffer buffer = {0};
    bool survived;
    char *line;
    append_finished(&buffer, source, text);
    TRY(text_take(&buffer, &line, NULL));
    enum vks_status status = placeholders_survived(source, line, &survived);
    if (status != VKS_OK || !*line || !survived) {
        free(line);
        line = NULL;
    }
    if (status != VKS_OK)
        return status;
    *is_lost = !survived;
    *finished = line;
    return VKS_OK;
}

enum vks_status vks_document_set_translation(struct vks_document *document, size_t segment_idx,
                                             const char *text) {
    CHECK(segment_idx < document->num_segments);
    struct document_segment *segment = &document->segments[segment_idx];
    char *finished = NULL;
    bool is_lost = false;
    enum vks_status status = VKS_OK;
    if (text && !vks_utf8_is_valid(text, strlen(text))) {
        log_error(document->log, "%s: the translation of '%s' is not UTF-8", document->name,
                  segment->text);
        return VKS_ERR_ARGUMENT;
    }
    if (text)
        status = finish_translation(segment->text, text, &finished, &is_lost);
    if (status != VKS_OK)
        return document_report(document, status);
    free(segment->translation);
    segment->translation = finished;
    segment->is_lost = is_lost;
    return document->kind->update ? document->kind->update(document, segment_idx) : VKS_OK;
}

void vks_document_count(const struct vks_document *document, struct vks_document_counts *counts) {
    *counts = (struct vks_document_counts){0};
    document->kind->count(document, counts);
}

const char *vks_document_unit(const struct vks_document *document) {
    return document->kind->unit;
}

enum vks_status vks_document_content(const struct vks_document *document, char **content,
                                     size_t *num_bytes) {
    struct text_buffer buffer = {0};
    enum vks_status status = document->kind->write(document, &buffer);
    if (status == VKS_OK)
        return document_report(document, text_take(&buffer, content, num_bytes));
    text_buffer_finish(&buffer);
    return status;
}

enum vks_status vks_document_save(const struct vks_document *document, const char *path) {
    char *content;
    size_t num_bytes;
    TRY(vks_document_content(document, &content, &num_bytes));
    enum vks_status status = file_replace(path, content, num_bytes, document->log);
    free(content);
    return status;
}
