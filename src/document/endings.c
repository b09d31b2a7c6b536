#include "document/endings.h"

#include "document/characters.h"

#include <string.h>

#define ELLIPSIS "\xE2\x80\xA6"
#define WIDE_COLON "\xEF\xBC\x9A"
#define WIDE_STOP "\xE3\x80\x82"

static bool ends_with(const char *text, size_t num_bytes, const char *ending) {
    size_t num = strlen(ending);
    return num_bytes >= num && memcmp(text + num_bytes - num, ending, num) == 0;
}

// The bytes that are left without the ending, if it is there.
static size_t without(const char *text, size_t num_bytes, const char *ending) {
    return ends_with(text, num_bytes, ending) ? num_bytes - strlen(ending) : num_bytes;
}

// Without full stops and the like, and white space before them.
static size_t without_stops(const char *text, size_t num_bytes) {
    static const char *const stops[] = {".", ELLIPSIS, WIDE_STOP, ",", ";", NULL};
    size_t before, begin = 0;
    do {
        before = num_bytes;
        for (int i = 0; stops[i]; i++)
            num_bytes = without(text, num_bytes, stops[i]);
        text_trim(text, &begin, &num_bytes);
    } while (num_bytes < before);
    return num_bytes;
}

static const char *ending_of(const char *source) {
    static const char *const endings[] = {"...", ELLIPSIS, ":", WIDE_COLON, NULL};
    size_t num_bytes = strlen(source);
    for (int i = 0; endings[i]; i++)
        if (ends_with(source, num_bytes, endings[i]))
            return endings[i];
    return NULL;
}

static void append_line(struct text_buffer *buffer, const char *text, size_t num_bytes) {
    for (size_t begin = 0, end; begin < num_bytes; begin = end + 1) {
        for (end = begin; end < num_bytes && text[end] != '\n' && text[end] != '\r';)
            end++;
        text_append(buffer, text + begin, end - begin);
        if (end < num_bytes)
            text_append_string(buffer, " ");
    }
}

void append_finished(struct text_buffer *buffer, const char *source, const char *translation) {
    const char *ending = ending_of(source);
    size_t begin = 0, end = strlen(translation);
    text_trim(translation, &begin, &end);
    bool is_colon = ending && *ending != '.' && strcmp(ending, ELLIPSIS) != 0;
    const char *text = translation + begin;
    end -= begin;
    if (is_colon && (ends_with(text, end, ":") || ends_with(text, end, WIDE_COLON)))
        ending = NULL;
    size_t kept = ending ? without_stops(text, end) : end;
    append_line(buffer, text, kept);
    if (!ending || kept == 0)
        return;
    uint32_t last = char_before(text, kept);
    text_append_string(buffer, is_colon && char_is_wide(last) && !char_is_hangul(last) ? WIDE_COLON
                                                                                       : ending);
}
