#include "document/wrapping.h"

#include "document/characters.h"
#include "text/placeholders.h"

#include <string.h>

// Bytes of the tag at `at`, which is not shown; 0 if there is none.
static size_t hidden_length(const char *text, size_t num_bytes, size_t at) {
    bool may_be =
        text[at] == '<' || (text[at] == '{' && at + 1 < num_bytes && text[at + 1] == '\\');
    return may_be ? placeholders_length(text, num_bytes, at) : 0;
}

size_t shown_columns(const char *text, size_t num_bytes) {
    size_t columns = 0;
    for (size_t at = 0; at < num_bytes;) {
        size_t hidden = hidden_length(text, num_bytes, at);
        if (hidden > 0)
            at += hidden;
        else
            columns += char_is_wide(char_take(text, num_bytes, &at)) ? 2 : 1;
    }
    return columns;
}

// A piece of text that is not broken: a word, with its tags, or a wide character. *next is behind
// the blanks that follow it.
static size_t piece_end(const char *text, size_t num_bytes, size_t at, size_t *next) {
    size_t end = at;
    while (end < num_bytes) {
        size_t behind = end, hidden = hidden_length(text, num_bytes, end);
        uint32_t c = hidden ? 0 : char_take(text, num_bytes, &behind);
        behind += hidden;
        if (!hidden && char_is_space(c))
            break;
        end = behind;
        // Closing punctuation stays with what it closes.
        uint32_t after = char_at(text, num_bytes, end);
        if (!hidden && chars_join_tightly(c, after) && char_is_alphanumeric(after))
            break;
    }
    size_t rest = end, all = num_bytes;
    text_trim(text, &rest, &all);
    *next = rest;
    return end;
}

size_t wrap_text(const char *text, size_t limit, const char *line_break, size_t num_break_bytes,
                 struct text_buffer *buffer) {
    size_t num_bytes = strlen(text), num_lines = 1, columns = 0, end, next;
    for (size_t at = 0, last = 0; at < num_bytes; last = end, at = next) {
        end = piece_end(text, num_bytes, at, &next);
        size_t piece = shown_columns(text + at, end - at), blank = at > last;
        if (columns > 0 && columns + blank + piece > limit) {
            if (buffer)
                text_append(buffer, line_break, num_break_bytes);
            num_lines++;
            columns = 0;
        } else if (buffer) {
            text_append(buffer, text + last, at - last);
        }
        columns += (columns > 0 ? blank : 0) + piece;
        if (buffer)
            text_append(buffer, text + at, end - at);
    }
    return num_lines;
}

size_t least_limit(const char *text, size_t num_lines, size_t highest) {
    size_t low = shown_columns(text, strlen(text)) / num_lines, high = highest;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (wrap_text(text, middle, "", 0, NULL) > num_lines)
            low = middle + 1;
        else
            high = middle;
    }
    return high;
}
