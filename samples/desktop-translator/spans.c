#include "spans.h"

#include <glib.h>
#include <string.h>

// A text without spaces and differences of form, and the character that each byte comes from.
struct folded {
    GString *text;
    GArray *origins; // int
};

static struct folded fold(const char *text) {
    struct folded folded = {.text = g_string_new(NULL),
                            .origins = g_array_new(FALSE, FALSE, sizeof(int))};
    int position = 0;
    for (const char *at = text; *at; at = g_utf8_next_char(at), position++) {
        if (g_unichar_isspace(g_utf8_get_char(at)))
            continue;
        char *form = g_utf8_normalize(at, g_utf8_next_char(at) - at, G_NORMALIZE_ALL);
        char *lower = form ? g_utf8_casefold(form, -1) : g_strdup("?");
        for (const char *byte = lower; *byte; byte++)
            if (*byte != ' ') { // "´" is a space and an accent, by compatibility
                g_string_append_c(folded.text, *byte);
                g_array_append_val(folded.origins, position);
            }
        g_free(lower);
        g_free(form);
    }
    g_array_append_val(folded.origins, position);
    return folded;
}

static void finish(struct folded *folded) {
    g_string_free(folded->text, TRUE);
    g_array_free(folded->origins, TRUE);
}

static int origin(const struct folded *folded, size_t byte) {
    return g_array_index(folded->origins, int, byte);
}

// Gives tokens that were not found, first to last, what lies before `end`.
static void fill(struct span *spans, size_t first, size_t last, int start, int end) {
    for (size_t i = first; i < last; i++)
        spans[i] = (struct span){start, spans[i].end ? end : start};
}

void spans_find(const char *text, const char *const *tokens, size_t num, struct span *spans) {
    struct folded whole = fold(text);
    size_t at = 0, first = 0; // first: after the last token that was found
    for (size_t i = 0; i < num; i++) {
        struct folded token = fold(tokens[i]);
        const char *found = NULL;
        spans[i] = (struct span){0, token.text->len > 0}; // the end tells fill which are empty
        if (token.text->len > 0)
            found = strstr(whole.text->str + at, token.text->str);
        // Without a gap it has to follow at once.
        bool has_gap = false;
        for (size_t k = first; k < i; k++)
            has_gap = has_gap || spans[k].end;
        if (found && (has_gap || found == whole.text->str + at)) {
            size_t start = (size_t)(found - whole.text->str), end = start + token.text->len;
            fill(spans, first, i, origin(&whole, at), origin(&whole, start));
            spans[i] = (struct span){origin(&whole, start), origin(&whole, end - 1) + 1};
            at = end;
            first = i + 1;
        }
        finish(&token);
    }
    fill(spans, first, num, origin(&whole, at), origin(&whole, whole.text->len));
    finish(&whole);
}

static bool is_wide_script(gunichar character) {
    switch (g_unichar_get_script(character)) {
    case G_UNICODE_SCRIPT_HAN:
    case G_UNICODE_SCRIPT_HIRAGANA:
    case G_UNICODE_SCRIPT_KATAKANA:
    case G_UNICODE_SCRIPT_THAI:
    case G_UNICODE_SCRIPT_LAO:
    case G_UNICODE_SCRIPT_KHMER:
    case G_UNICODE_SCRIPT_MYANMAR:
        return true;
    default:
        return false;
    }
}

struct span span_next_word(const char *text, int position) {
    int length = (int)g_utf8_strlen(text, -1);
    const char *at = g_utf8_offset_to_pointer(text, MIN(position, length));
    while (*at && g_unichar_isspace(g_utf8_get_char(at))) {
        at = g_utf8_next_char(at);
        position++;
    }
    struct span span = {MIN(position, length), MIN(position, length)};
    for (; *at && !g_unichar_isspace(g_utf8_get_char(at)); at = g_utf8_next_char(at)) {
        bool is_wide = is_wide_script(g_utf8_get_char(at));
        if (is_wide && span.end > span.start)
            break;
        span.end++;
        if (is_wide)
            break;
    }
    return span;
}

struct span span_of_word(const char *text, int position) {
    struct span span = {0, 0};
    do
        span = span_next_word(text, span.end);
    while (span.end > span.start && span.end <= position);
    return span.start <= position ? span : (struct span){position, position};
}

bool spans_overlap(struct span a, struct span b) {
    return a.start < b.end && b.start < a.end;
}

char *span_text(const char *text, struct span span) {
    return g_utf8_substring(text, span.start, span.end);
}
