#include "document/subtitle_reader.h"

#include "document/characters.h"

#include <string.h>

enum { MAX_SHOWN_BYTES = 60 };

struct reader {
    const struct vks_document *document;
    size_t at;         // the next line
    size_t begin, end; // the last one, without white space around
    size_t line_end;   // the same without its line end
};

// Takes the next line; false at the end.
static bool take_line(struct reader *reader) {
    const char *bytes = reader->document->bytes;
    size_t num_bytes = reader->document->num_bytes;
    reader->begin = reader->end = reader->line_end = reader->at;
    if (reader->at == num_bytes)
        return false;
    const char *newline = memchr(bytes + reader->at, '\n', num_bytes - reader->at);
    reader->end = newline ? (size_t)(newline - bytes) : num_bytes;
    reader->at = newline ? reader->end + 1 : num_bytes;
    reader->line_end = reader->end;
    if (newline && reader->end > reader->begin && bytes[reader->end - 1] == '\r')
        reader->line_end--;
    text_trim(bytes, &reader->begin, &reader->end);
    return true;
}

static bool is_blank(const struct reader *reader) {
    return reader->begin == reader->end;
}

static enum vks_status refuse(const struct reader *reader, const char *expected) {
    const struct vks_document *document = reader->document;
    size_t num = reader->end - reader->begin, shown = num < MAX_SHOWN_BYTES ? num : MAX_SHOWN_BYTES;
    while (shown < num && ((unsigned char)document->bytes[reader->begin + shown] & 0xC0) == 0x80)
        shown--;
    if (num == 0)
        log_error(document->log, "%s:%zu: expected %s, found %s", document->name,
                  document_line(document, reader->begin), expected,
                  reader->begin == document->num_bytes ? "the end" : "a blank line");
    else
        log_error(document->log, "%s:%zu: expected %s, found '%.*s%s'", document->name,
                  document_line(document, reader->begin), expected, (int)shown,
                  document->bytes + reader->begin, shown < num ? "..." : "");
    return VKS_ERR_FORMAT;
}

static bool is_number(const struct reader *reader) {
    for (size_t i = reader->begin; i < reader->end; i++)
        if (reader->document->bytes[i] < '0' || reader->document->bytes[i] > '9')
            return false;
    return true;
}

// Digits, min to max of them; false if there are others.
static bool take_digits(const char **at, int min, int max, uint64_t *value) {
    int num = 0;
    *value = 0;
    for (; num < max && **at >= '0' && **at <= '9'; num++)
        *value = *value * 10 + (uint64_t)(*(*at)++ - '0');
    return num >= min;
}

// "01:02:03,456", also with a full stop.
static bool take_time(const char **at, uint64_t *time_ms) {
    uint64_t h, min, s, ms;
    if (!take_digits(at, 1, 4, &h) || *(*at)++ != ':' || !take_digits(at, 2, 2, &min) ||
        *(*at)++ != ':' || !take_digits(at, 2, 2, &s) || min > 59 || s > 59)
        return false;
    if (**at != ',' && **at != '.')
        return false;
    ++*at;
    const char *begin = *at;
    if (!take_digits(at, 1, 3, &ms))
        return false;
    for (long digits = *at - begin; digits < 3; digits++)
        ms *= 10;
    *time_ms = ((h * 60 + min) * 60 + s) * 1000 + ms;
    return true;
}

// Two times with an arrow between, and settings behind, such as X1:40 or align:start.
static bool read_times(const struct reader *reader, struct cue *cue) {
    const char *at = reader->document->bytes + reader->begin;
    if (!take_time(&at, &cue->start_ms))
        return false;
    while (*at == ' ' || *at == '\t')
        at++;
    if (strncmp(at, "-->", 3) != 0)
        return false;
    at += 3;
    while (*at == ' ' || *at == '\t')
        at++;
    if (!take_time(&at, &cue->end_ms))
        return false;
    return at == reader->document->bytes + reader->end || *at == ' ' || *at == '\t';
}

static enum vks_status read_cue(struct reader *reader, struct cue *cue) {
    if (!is_number(reader))
        return refuse(reader, "the number of a subtitle");
    (void)take_line(reader);
    if (!read_times(reader, cue))
        return refuse(reader, "times as in 00:00:01,000 --> 00:00:02,500");
    cue->begin = cue->end = reader->at;
    while (take_line(reader) && !is_blank(reader))
        cue->end = reader->line_end;
    cue->head_end = cue->begin;
    cue->tail_begin = cue->end;
    return VKS_OK;
}

enum vks_status cues_read(const struct vks_document *document, struct cues *cues) {
    struct reader reader = {.document = document, .at = document_mark_bytes(document)};
    while (take_line(&reader)) {
        struct cue cue;
        if (is_blank(&reader))
            continue;
        TRY(read_cue(&reader, &cue));
        void *items = items_grown(cues->items, cues->num, &cues->capacity, sizeof *cues->items);
        if (!items)
            return VKS_ERR_OOM;
        cues->items = items;
        cues->items[cues->num++] = cue;
    }
    return VKS_OK;
}
