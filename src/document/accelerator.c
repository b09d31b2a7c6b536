#include "document/accelerator.h"

#include "document/characters.h"
#include "text/placeholders.h"

#include <string.h>

// Longer texts, and those with more words, are no labels.
enum { MAX_LABEL_COLUMNS = 60, MAX_LABEL_WORDS = 8 };
// Parts of a word that is cut for an accelerator alone; names such as file_name have longer ones.
enum { MAX_SHORT_BYTES = 2, MIN_WORD_BYTES = 4 };

enum certainty { NO_ACCELERATOR, MAYBE_ACCELERATOR, IS_ACCELERATOR };

static bool is_marker(char c) {
    return c == '_' || c == '&' || c == '~';
}

// A button or a menu entry: short, on one line, and no sentence.
static bool is_label(const char *text, size_t num_bytes) {
    size_t num_words = 1;
    for (size_t i = 0; i < num_bytes; i++) {
        num_words += text[i] == ' ';
        if (text[i] == '\n')
            return false;
    }
    bool is_sentence = num_bytes > 1 && text[num_bytes - 1] == '.' && text[num_bytes - 2] != '.';
    return !is_sentence && num_words <= MAX_LABEL_WORDS &&
           text_columns(text, num_bytes) <= MAX_LABEL_COLUMNS;
}

// The word around `at`, without punctuation at its ends.
static void find_word(const char *text, size_t num_bytes, size_t at, size_t *begin, size_t *end) {
    *begin = *end = at;
    while (*begin > 0 && !strchr(" \t\n", text[*begin - 1]))
        --*begin;
    while (*end < num_bytes && !strchr(" \t\n", text[*end]))
        ++*end;
    while (*begin < at && strchr("([\"'", text[*begin]))
        ++*begin;
    while (*end > at + 1 && strchr(")]\"'.:,;!?", text[*end - 1]))
        --*end;
    while (*end > at + 3 && memcmp(text + *end - 3, "\xE2\x80\xA6", 3) == 0)
        *end -= 3;
}

// Whether a word is one of a language but for the marker at `at`: no path, address or name.
static bool is_plain_word(const char *text, size_t begin, size_t end, size_t at) {
    for (size_t i = begin; i < end; i++) {
        unsigned char c = (unsigned char)text[i];
        bool is_plain = c >= 0x80 || c == '-' || c == '\'' || char_is_alphanumeric(c);
        if (!is_plain && i != at)
            return false;
    }
    return true;
}

static enum certainty judge(const char *text, size_t num_bytes, size_t at) {
    char marker = text[at];
    size_t begin, end;
    uint32_t next = char_at(text, num_bytes, at + 1), before;
    if (!(marker == '~' ? char_is_letter(next) : char_is_alphanumeric(next)))
        return NO_ACCELERATOR;
    find_word(text, num_bytes, at, &begin, &end);
    if (!is_plain_word(text, begin, end, at))
        return NO_ACCELERATOR;
    before = begin < at ? char_before(text, at) : 0;
    if (marker != '_')
        return char_is_upper(next) && before ? NO_ACCELERATOR : IS_ACCELERATOR; // AT&T
    if (before == 0 && (begin == 0 || !char_is_lower(next)))
        return IS_ACCELERATOR;
    if (!is_label(text, num_bytes))
        return NO_ACCELERATOR;
    if (before == 0)
        return MAYBE_ACCELERATOR; // "Undo _last"
    if (char_is_upper(char_at(text, num_bytes, begin)))
        return IS_ACCELERATOR;
    // "Sort by n_ame" rather than "file_name" or "a_b".
    size_t num_before = at - begin, num_after = end - at - 1;
    bool has_short = num_before <= MAX_SHORT_BYTES || num_after <= MAX_SHORT_BYTES;
    return has_short && num_before + num_after >= MIN_WORD_BYTES &&
                   char_is_upper(char_at(text, num_bytes, 0))
               ? MAYBE_ACCELERATOR
               : NO_ACCELERATOR;
}

// Goes through what may be a marker; *length is how much is passed, of a doubled one 2.
static enum certainty next_place(const char *text, size_t num_bytes, size_t at, size_t *length) {
    *length = placeholders_length(text, num_bytes, at);
    if (*length > 0)
        return NO_ACCELERATOR;
    *length = 1;
    if (!is_marker(text[at]))
        return NO_ACCELERATOR;
    if (at + 1 < num_bytes && text[at + 1] == text[at]) {
        *length = 2;
        return NO_ACCELERATOR;
    }
    return judge(text, num_bytes, at);
}

bool accelerator_is_certain(const char *text, char marker) {
    size_t num_bytes = strlen(text), num = 0;
    for (size_t at = 0, length; at < num_bytes; at += length)
        num += next_place(text, num_bytes, at, &length) == IS_ACCELERATOR && text[at] == marker;
    return num == 1;
}

// Where the text's only marker stands; SIZE_MAX if there is none, or more than one.
static size_t find_marker(const char *text, bool (*is_usual)(void *, char), void *user) {
    size_t num_bytes = strlen(text), found = SIZE_MAX, num = 0;
    for (size_t at = 0, length; at < num_bytes; at += length) {
        enum certainty certainty = next_place(text, num_bytes, at, &length);
        if (certainty == NO_ACCELERATOR ||
            (certainty == MAYBE_ACCELERATOR && !is_usual(user, text[at])))
            continue;
        found = at;
        num++;
    }
    return num == 1 ? found : SIZE_MAX;
}

enum vks_status accelerator_take(const char *text, bool (*is_usual)(void *, char), void *user,
                                 struct text_buffer *buffer, struct accelerator *accelerator) {
    size_t num_bytes = strlen(text), marker = find_marker(text, is_usual, user);
    struct accelerator found = {0};
    if (marker != SIZE_MAX)
        found = (struct accelerator){text[marker], char_at(text, num_bytes, marker + 1)};
    for (size_t at = 0, length; at < num_bytes; at += length) {
        (void)next_place(text, num_bytes, at, &length);
        bool is_doubled =
            found.marker && length == 2 && text[at] == found.marker && text[at + 1] == found.marker;
        if (at != marker)
            text_append(buffer, text + at, is_doubled ? 1 : length);
    }
    if (buffer->is_short)
        return VKS_ERR_OOM;
    *accelerator = found;
    return VKS_OK;
}

// Bytes of the text in which a letter may be marked, without colon or ellipsis at its end.
static size_t label_bytes(const char *text, size_t num_bytes) {
    size_t begin = 0, end = 0;
    while (end < num_bytes && !strchr("\t\r\n", text[end]))
        end++;
    for (size_t before = end + 1; end < before;) {
        before = end;
        text_trim(text, &begin, &end);
        if (end > 0 && (text[end - 1] == '.' || text[end - 1] == ':'))
            end--;
        if (end >= 3 && (memcmp(text + end - 3, "\xE2\x80\xA6", 3) == 0 ||
                         memcmp(text + end - 3, "\xEF\xBC\x9A", 3) == 0))
            end -= 3;
    }
    return end;
}

// The best place for the marker; SIZE_MAX if no letter is there.
static size_t find_letter(const char *text, size_t num_bytes, uint32_t letter, bool *is_same) {
    size_t within = SIZE_MAX, first = SIZE_MAX;
    uint32_t before = ' ';
    for (size_t at = 0, next; at < num_bytes; at = next) {
        next = at + placeholders_length(text, num_bytes, at);
        uint32_t c = next > at ? ' ' : char_take(text, num_bytes, &next);
        bool is_start = !char_is_alphanumeric(before) && before != '\'';
        before = c;
        if (!char_is_alphanumeric(c))
            continue;
        *is_same = char_lower(c) == char_lower(letter);
        if (*is_same && is_start)
            return at;
        if (*is_same && within == SIZE_MAX)
            within = at;
        if (first == SIZE_MAX && char_is_letter(c))
            first = at;
    }
    *is_same = within != SIZE_MAX;
    return *is_same ? within : first;
}

static bool has_wide(const char *text, size_t num_bytes) {
    for (size_t at = 0; at < num_bytes;) {
        uint32_t c = char_take(text, num_bytes, &at);
        if (char_is_wide(c) && char_is_letter(c))
            return true;
    }
    return false;
}

// Doubles the markers that are none, outside of placeholders.
static void double_markers(struct text_buffer *buffer, char marker) {
    const char text[] = {marker, '\0'};
    for (size_t at = 0, length; at < buffer->num_bytes && !buffer->is_short; at += length) {
        length = placeholders_length(buffer->text, buffer->num_bytes, at);
        if (length > 0)
            continue;
        length = 1 + (buffer->text[at] == marker);
        if (length == 2)
            text_insert(buffer, at, text);
    }
}

void accelerator_put(const struct accelerator *accelerator, struct text_buffer *buffer) {
    const char marker[] = {accelerator->marker, '\0'};
    char appended[8];
    bool is_same = false;
    if (!accelerator->marker || buffer->is_short)
        return;
    double_markers(buffer, accelerator->marker);
    size_t end = label_bytes(buffer->text, buffer->num_bytes);
    size_t at = find_letter(buffer->text, end, accelerator->letter, &is_same);
    if (at == SIZE_MAX)
        return;
    if (has_wide(buffer->text, end) && accelerator->letter < 0x80) {
        appended[0] = '(';
        appended[1] = accelerator->marker;
        appended[2] = (char)char_upper(accelerator->letter);
        memcpy(appended + 3, ")", 2);
        text_insert(buffer, end, appended);
    } else {
        text_insert(buffer, at, marker);
    }
}
