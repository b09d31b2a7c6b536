#include "texts.h"

#include <string.h>

static void free_segment(void *user) {
    struct segment *segment = user;
    g_free(segment->source);
    g_free(segment->shown);
    sentence_unref(segment->sentence);
    g_free(segment);
}

void texts_init(struct texts *texts, GtkTextBuffer *source, GtkTextBuffer *target) {
    texts->source = g_object_ref(source);
    texts->target = g_object_ref(target);
    texts->segments = g_ptr_array_new_with_free_func(free_segment);
}

void texts_finish(struct texts *texts) {
    g_ptr_array_unref(texts->segments);
    g_object_unref(texts->source);
    g_object_unref(texts->target);
}

char *texts_content(GtkTextBuffer *buffer) {
    GtkTextIter start, end;
    gtk_text_buffer_get_bounds(buffer, &start, &end);
    return gtk_text_buffer_get_text(buffer, &start, &end, TRUE);
}

static bool is_blank(const char *text) {
    for (; *text; text = g_utf8_next_char(text))
        if (!g_unichar_isspace(g_utf8_get_char(text)))
            return false;
    return true;
}

bool segment_is_missing(const struct segment *segment) {
    return !segment->sentence && !is_blank(segment->source);
}

void segment_preview(struct segment *segment, const char *text) {
    char *copy = g_strdup(text);
    g_free(segment->shown);
    segment->shown = copy;
}

void segment_set(struct segment *segment, struct sentence *sentence) {
    sentence_ref(sentence);
    sentence_unref(segment->sentence);
    segment->sentence = sentence;
    segment_preview(segment, sentence->text);
}

// An older text stays until the line is translated, if it is the same line that was changed.
static struct segment *take_line(const struct texts *texts, GHashTable *known, char *line,
                                 size_t line_idx, bool has_same_lines) {
    struct segment *segment = g_new0(struct segment, 1), *old = g_hash_table_lookup(known, line);
    segment->source = line;
    if (old)
        segment_set(segment, old->sentence);
    else if (has_same_lines && !is_blank(line))
        segment_preview(segment, texts_segment(texts, line_idx)->shown);
    else
        segment_preview(segment, "");
    return segment;
}

void texts_read(struct texts *texts) {
    char *content = texts_content(texts->source);
    char **lines = g_strsplit(content, "\n", -1);
    guint num = MAX(g_strv_length(lines), 1);
    GHashTable *known = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *segments = g_ptr_array_new_with_free_func(free_segment);
    for (guint i = 0; i < texts->segments->len; i++)
        if (texts_segment(texts, i)->sentence)
            g_hash_table_insert(known, texts_segment(texts, i)->source, texts->segments->pdata[i]);
    int start = 0;
    for (guint i = 0; i < num; i++) {
        struct segment *segment = take_line(texts, known, g_strdup(lines[i] ? lines[i] : ""), i,
                                            num == texts->segments->len);
        segment->source_start = start;
        start += (int)g_utf8_strlen(segment->source, -1) + 1;
        g_ptr_array_add(segments, segment);
    }
    g_hash_table_unref(known);
    g_ptr_array_unref(texts->segments);
    texts->segments = segments;
    g_strfreev(lines);
    g_free(content);
}

void texts_forget(struct texts *texts) {
    for (guint i = 0; i < texts->segments->len; i++)
        g_clear_pointer(&texts_segment(texts, i)->sentence, sentence_unref);
}

struct segment *texts_segment(const struct texts *texts, size_t segment_idx) {
    return texts->segments->pdata[segment_idx];
}

// Replaces the part in which the buffer differs, so that neither the cursor nor the view jumps.
static void edit(GtkTextBuffer *buffer, const char *text) {
    char *old = texts_content(buffer);
    const char *a = old, *b = text;
    while (*a && g_utf8_get_char(a) == g_utf8_get_char(b)) {
        a = g_utf8_next_char(a);
        b = g_utf8_next_char(b);
    }
    const char *a_end = old + strlen(old), *b_end = text + strlen(text);
    while (a_end > a && b_end > b) {
        const char *a_last = g_utf8_prev_char(a_end), *b_last = g_utf8_prev_char(b_end);
        if (g_utf8_get_char(a_last) != g_utf8_get_char(b_last))
            break;
        a_end = a_last;
        b_end = b_last;
    }
    GtkTextIter start, end;
    gtk_text_buffer_get_iter_at_offset(buffer, &start, (int)g_utf8_pointer_to_offset(old, a));
    gtk_text_buffer_get_iter_at_offset(buffer, &end, (int)g_utf8_pointer_to_offset(old, a_end));
    if (a_end > a)
        gtk_text_buffer_delete(buffer, &start, &end);
    if (b_end > b)
        gtk_text_buffer_insert(buffer, &start, b, (int)(b_end - b));
    g_free(old);
}

void texts_show(struct texts *texts) {
    GString *text = g_string_new(NULL);
    int start = 0;
    for (guint i = 0; i < texts->segments->len; i++) {
        struct segment *segment = texts_segment(texts, i);
        if (i > 0)
            g_string_append_c(text, '\n');
        segment->target_start = start;
        start += (int)g_utf8_strlen(segment->shown, -1) + 1;
        g_string_append(text, segment->shown);
    }
    edit(texts->target, text->str);
    g_string_free(text, TRUE);
}

struct segment *texts_at(const struct texts *texts, int offset, int *position) {
    size_t low = 0, high = texts->segments->len;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (texts_segment(texts, middle)->target_start <= offset)
            low = middle;
        else
            high = middle;
    }
    if (low == high)
        return NULL;
    struct segment *segment = texts_segment(texts, low);
    *position = offset - segment->target_start;
    return segment;
}
