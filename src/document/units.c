#include "document/units.h"

#include "base/memory.h"
#include "document/characters.h"
#include "document/survival.h"
#include "document/wrapping.h"

// Paragraphs that are narrower than this are not taken to be broken for their width.
enum { MIN_WIDTH = 40 };

// [begin, end) of a text without its end of line; words are [text_begin, text_end), behind
// indentation and bullet.
struct line {
    size_t begin, end, next;
    size_t text_begin, text_end;
    size_t indent; // bytes of it
    bool has_bullet, has_tab;
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

// Bytes of "- ", "* ", "12. ", "a) " and the like.
static size_t bullet_length(const char *text, size_t num_bytes) {
    size_t i = 0;
    while (i < num_bytes && strchr("-*>#|", text[i]) && text[i])
        i++;
    if (i == 0) {
        while (i < num_bytes && i < 3 && text[i] >= '0' && text[i] <= '9')
            i++;
        i += i == 0 && num_bytes > 0 && text[0] >= 'a' && text[0] <= 'z';
        if (i == 0 || i == num_bytes || (text[i] != ')' && (text[i] != '.' || text[0] >= 'a')))
            return 0;
        i++;
    }
    if (i == num_bytes || !is_blank(text[i]))
        return 0;
    while (i < num_bytes && is_blank(text[i]))
        i++;
    return i;
}

static struct line line_at(const char *text, size_t num_bytes, size_t begin) {
    const char *newline = memchr(text + begin, '\n', num_bytes - begin);
    struct line line = {.begin = begin, .next = num_bytes, .end = num_bytes};
    if (newline) {
        line.end = (size_t)(newline - text);
        line.next = line.end + 1;
        line.end -= line.end > begin && text[line.end - 1] == '\r';
    }
    line.text_begin = begin;
    while (line.text_begin < line.end && is_blank(text[line.text_begin]))
        line.text_begin++;
    line.indent = line.text_begin - begin;
    size_t bullet = bullet_length(text + line.text_begin, line.end - line.text_begin);
    line.has_bullet = bullet > 0;
    line.text_begin += bullet;
    line.text_end = line.end;
    text_trim(text, &line.text_begin, &line.text_end);
    line.has_tab = memchr(text + line.text_begin, '\t', line.text_end - line.text_begin);
    return line;
}

// Columns of the widest line of the paragraph that begins at `begin`; *end is behind its last line.
static size_t paragraph_width(const char *text, size_t num_bytes, size_t begin, size_t *end) {
    size_t width = 0;
    *end = begin;
    while (*end < num_bytes) {
        struct line line = line_at(text, num_bytes, *end);
        size_t columns = text_columns(text + line.begin, line.text_end - line.begin);
        if (line.text_begin == line.text_end && *end > begin)
            break;
        width = columns > width ? columns : width;
        *end = line.next;
    }
    return width;
}

// Whether a sentence goes on from one line to the next: this begins in lower case, or with a word
// for which there was no room.
static bool goes_on(const char *text, const struct line *line, const struct line *next,
                    size_t width) {
    size_t first_word = next->text_begin, columns;
    bool is_aligned =
        next->indent == line->indent || next->indent == line->text_begin - line->begin;
    if (next->text_begin == next->text_end || next->has_bullet || next->has_tab || line->has_tab ||
        !is_aligned ||
        !text_has_words(text + next->text_begin, next->text_end - next->text_begin) ||
        text_ends_sentence(text + line->text_begin, line->text_end - line->text_begin))
        return false;
    if (char_is_lower(char_at(text, next->text_end, next->text_begin)))
        return true;
    while (first_word < next->text_end && text[first_word] != ' ')
        first_word++;
    columns = text_columns(text + line->begin, line->text_end - line->begin) + 1 +
              text_columns(text + next->text_begin, first_word - next->text_begin);
    return width >= MIN_WIDTH && columns > width;
}

// Adds [begin, end) without white space around, if it has words; its lines may have been joined
// into `joined`.
static enum vks_status add_unit(struct vks_document *document, struct units *units,
                                const char *text, struct unit unit, struct text_buffer *joined) {
    text_trim(text, &unit.begin, &unit.end);
    const char *words = unit.num_lines > 1 ? joined->text : text + unit.begin;
    size_t num_bytes = unit.num_lines > 1 ? joined->num_bytes : unit.end - unit.begin;
    if (joined->is_short)
        return VKS_ERR_OOM;
    if (!text_has_words(words, num_bytes))
        return VKS_OK;
    void *items = items_grown(units->items, units->num, &units->capacity, sizeof *units->items);
    if (!items)
        return VKS_ERR_OOM;
    units->items = items;
    TRY(document_add_segment(document, words, num_bytes, &unit.segment_idx));
    units->items[units->num++] = unit;
    return VKS_OK;
}

static enum vks_status cut_at_tabs(struct vks_document *document, struct units *units,
                                   const char *text, const struct line *line) {
    struct text_buffer none = {0};
    for (size_t begin = line->text_begin, end; begin < line->text_end; begin = end + 1) {
        for (end = begin; end < line->text_end && text[end] != '\t';)
            end++;
        TRY(add_unit(document, units, text, (struct unit){.begin = begin, .end = end}, &none));
    }
    return VKS_OK;
}

static void join_line(struct text_buffer *joined, const char *text, const struct line *line) {
    if (joined->num_bytes > 0 && !chars_join_tightly(char_before(joined->text, joined->num_bytes),
                                                     char_at(text, line->end, line->text_begin)))
        text_append_string(joined, " ");
    text_append(joined, text + line->text_begin, line->text_end - line->text_begin);
}

// The unit that begins with a line; *line is then the line behind it.
static enum vks_status cut_unit(struct vks_document *document, struct units *units,
                                const char *text, size_t end, size_t width, struct line *line) {
    struct text_buffer joined = {0};
    struct unit unit = {.begin = line->text_begin, .end = line->text_end, .num_lines = 1};
    struct line next = {.text_begin = 0};
    if (line->has_tab) {
        TRY(cut_at_tabs(document, units, text, line));
        if (line->next < end)
            *line = line_at(text, end, line->next);
        else
            line->begin = line->next;
        return VKS_OK;
    }
    join_line(&joined, text, line);
    while (line->next < end) {
        next = line_at(text, end, line->next);
        if (joined.is_short || !goes_on(text, line, &next, width))
            break;
        if (unit.num_lines++ == 1) {
            unit.break_begin = line->text_end;
            unit.break_end = next.text_begin;
            unit.limit = width > next.indent ? width - next.indent : 1;
        }
        unit.end = next.text_end;
        join_line(&joined, text, &next);
        *line = next;
    }
    enum vks_status status = add_unit(document, units, text, unit, &joined);
    text_buffer_finish(&joined);
    if (line->next < end)
        *line = next;
    else
        line->begin = line->next;
    return status;
}

enum vks_status units_cut(struct vks_document *document, const char *text, size_t num_bytes,
                          struct units *units) {
    for (size_t begin = 0, end; begin < num_bytes; begin = end) {
        size_t width = paragraph_width(text, num_bytes, begin, &end);
        struct line line = line_at(text, end, begin);
        while (line.begin < end)
            TRY(cut_unit(document, units, text, end, width, &line));
    }
    return VKS_OK;
}

// Narrow texts keep about their number of lines, wide ones their width.
static size_t limit_of(const struct unit *unit, const char *translation) {
    if (unit->limit >= MIN_WIDTH ||
        wrap_text(translation, unit->limit, "", 0, NULL) <= unit->num_lines)
        return unit->limit;
    return least_limit(translation, unit->num_lines, SIZE_MAX);
}

void units_fill(const struct vks_document *document, const struct units *units, const char *text,
                size_t num_bytes, struct text_buffer *buffer) {
    size_t done = 0;
    for (size_t i = 0; i < units->num; i++) {
        const struct unit *unit = &units->items[i];
        const char *translation = document->segments[unit->segment_idx].translation;
        if (!translation)
            continue;
        text_append(buffer, text + done, unit->begin - done);
        if (unit->num_lines > 1)
            wrap_text(translation, limit_of(unit, translation), text + unit->break_begin,
                      unit->break_end - unit->break_begin, buffer);
        else
            text_append_string(buffer, translation);
        done = unit->end;
    }
    text_append(buffer, text + done, num_bytes - done);
}
