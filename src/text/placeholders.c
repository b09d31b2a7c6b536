#include "text/placeholders.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TAG_BYTES = 200, MAX_NAME_BYTES = 64 };

// What is left of a text while it is searched.
struct scan {
    const char *text;
    size_t num_bytes;
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
static bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}
static bool is_letter(char c) {
    return is_upper(c) || (c >= 'a' && c <= 'z');
}
static bool is_name(char c) {
    return is_letter(c) || is_digit(c) || c == '_';
}
static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static char char_at(const struct scan *scan, size_t i) {
    return i < scan->num_bytes ? scan->text[i] : '\0';
}

static size_t skip(const struct scan *scan, size_t begin, bool (*is_part)(char c)) {
    size_t end = begin;
    while (end < scan->num_bytes && is_part(scan->text[end]))
        end++;
    return end;
}

static size_t skip_any(const struct scan *scan, size_t begin, const char *chars) {
    size_t end = begin;
    while (end < scan->num_bytes && scan->text[end] && strchr(chars, scan->text[end]))
        end++;
    return end;
}

// The end of a name and the closing character behind it; 0 if there is none.
static size_t close_name(const struct scan *scan, size_t begin, const char *more, char closing) {
    size_t end = begin;
    while (end < scan->num_bytes && end - begin <= MAX_NAME_BYTES &&
           (is_name(scan->text[end]) || (scan->text[end] && strchr(more, scan->text[end]))))
        end++;
    return char_at(scan, end) == closing ? end + 1 : 0;
}

// Each of these: how many bytes from here on are one placeholder; 0: none.

// %s %5.2f %1$s %(name)s %{name} %ld %1 %L1 %n %% %NAME %NAME%
static size_t match_percent(const struct scan *scan) {
    if (char_at(scan, 1) == '%')
        return 2;
    if (char_at(scan, 1) == '{')
        return close_name(scan, 2, ".-", '}');
    size_t name = skip(scan, 1, is_name);
    if (name >= 3 && is_upper(char_at(scan, 1)) && is_upper(char_at(scan, 2)))
        return char_at(scan, name) == '%' ? name + 1 : name;
    size_t at = 1;
    if (char_at(scan, at) == '(') {
        at = close_name(scan, at + 1, ".-", ')');
        if (at == 0)
            return 0;
    }
    size_t digits = skip(scan, at, is_digit);
    if (digits > at && char_at(scan, digits) == '$')
        at = digits + 1;
    size_t width = skip_any(scan, at, "-+#'0123456789.*");
    size_t conversion = skip_any(scan, width, "hljztL");
    if (char_at(scan, conversion) && strchr("diouxXeEfFgGaAcspn@", char_at(scan, conversion)))
        return conversion + 1;
    // Qt's arguments: a number, with L before it for the user's language.
    size_t number = at == 1 && char_at(scan, 1) == 'L' ? 2 : at;
    digits = skip(scan, number, is_digit);
    return at == 1 && digits > number ? digits : 0;
}

// ${name} $(NAME) $[name] $NAME $NAME$ $1$
static size_t match_dollar(const struct scan *scan) {
    if (char_at(scan, 1) == '{')
        return close_name(scan, 2, ".:-", '}');
    if (char_at(scan, 1) == '(')
        return close_name(scan, 2, ".:-", ')');
    if (char_at(scan, 1) == '[')
        return close_name(scan, 2, ".:-", ']');
    size_t end = skip(scan, 1, is_name);
    if (end > 1 && char_at(scan, end) == '$')
        return end + 1;
    return end > 1 && !is_digit(char_at(scan, 1)) ? end : 0;
}

// {} {0} {name} {0:>10.2f} {0[key]} {{name}} {\an8}
static size_t match_brace(const struct scan *scan) {
    if (char_at(scan, 1) == '\\')
        return close_name(scan, 2, "\\&(),.-", '}');
    if (char_at(scan, 1) != '{')
        return close_name(scan, 1, ".:!%,+-#<>=^[]", '}');
    size_t end = close_name(scan, 2, ".:$-", '}');
    return end > 0 && char_at(scan, end) == '}' ? end + 1 : 0;
}

// @NAME@ #NAME#
static size_t match_pair(const struct scan *scan) {
    size_t end = close_name(scan, 1, "", scan->text[0]);
    return end > 2 ? end : 0;
}

// <b> </b> <a href="x"> <br/>
static size_t match_tag(const struct scan *scan) {
    size_t at = char_at(scan, 1) == '/' ? 2 : 1;
    if (!is_letter(char_at(scan, at)))
        return 0;
    while (at < scan->num_bytes && at < MAX_TAG_BYTES && scan->text[at] != '>' &&
           scan->text[at] != '<')
        at++;
    return char_at(scan, at) == '>' ? at + 1 : 0;
}

// &lt; &#160;
static size_t match_entity(const struct scan *scan) {
    size_t begin = char_at(scan, 1) == '#' ? 2 : 1;
    size_t end = skip(scan, begin, is_name);
    return end > begin && end - begin <= 8 && char_at(scan, end) == ';' ? end + 1 : 0;
}

// \n \t \r, as two characters
static size_t match_escape(const struct scan *scan) {
    char c = char_at(scan, 1);
    return c == 'n' || c == 't' || c == 'r' ? 2 : 0;
}

// scheme://address, without punctuation that ends a sentence
static size_t match_address(const struct scan *scan) {
    size_t end = 0;
    while (is_letter(char_at(scan, end)))
        end++;
    if (end < 2 || end + 3 >= scan->num_bytes || memcmp(scan->text + end, "://", 3) != 0)
        return 0;
    size_t begin = end += 3;
    while (end < scan->num_bytes && !is_blank(scan->text[end]) && !strchr("<>\"", scan->text[end]))
        end++;
    while (end > begin && strchr(".,;:!?)'", scan->text[end - 1]))
        end--;
    return end > begin ? end : 0;
}

static size_t match(const struct scan *scan, char before) {
    switch (scan->text[0]) {
    case '%':
        return is_digit(before) ? 0 : match_percent(scan); // 100%
    case '$':
        return match_dollar(scan);
    case '{':
        return match_brace(scan);
    case '@':
    case '#':
        return is_name(before) ? 0 : match_pair(scan);
    case '<':
        return match_tag(scan);
    case '&':
        return match_entity(scan);
    case '\\':
        return match_escape(scan);
    default:
        return is_name(before) ? 0 : match_address(scan);
    }
}

size_t placeholders_length(const char *text, size_t num_bytes, size_t at) {
    const struct scan rest = {text + at, num_bytes - at};
    return at < num_bytes ? match(&rest, at ? text[at - 1] : ' ') : 0;
}

void placeholders_find(const char *text, size_t num_bytes, struct placeholders *found) {
    *found = (struct placeholders){.text = text};
    for (size_t i = 0; i < num_bytes && !found->has_more;) {
        size_t length = placeholders_length(text, num_bytes, i);
        if (length && found->num < PLACEHOLDERS_MAX)
            found->spans[found->num++] = (struct text_span){i, length};
        else if (length)
            found->has_more = true;
        i += length ? length : 1;
    }
}

static char *append_symbol(char *at, uint32_t symbol) {
    return at + sprintf(at, "<ph%u>", (unsigned)symbol);
}

static char *append(char *at, const char *text, size_t num_bytes) {
    memcpy(at, text, num_bytes);
    return at + num_bytes;
}

char *placeholders_mask(const char *text, size_t num_bytes, const struct text_mask *masks,
                        size_t num_masks, size_t *num_masked) {
    char *masked = memory_malloc(num_bytes + num_masks * 2 * PLACEHOLDERS_MAX_SYMBOL_BYTES + 1);
    if (!masked)
        return NULL;
    char *at = masked;
    size_t begin = 0;
    for (size_t i = 0; i < num_masks; i++) {
        const struct text_mask *mask = &masks[i];
        at = append(at, text + begin, mask->span.begin - begin);
        at = append_symbol(at, mask->symbol);
        if (mask->wraps) {
            at = append(at, text + mask->span.begin, mask->span.num_bytes);
            at = append_symbol(at, mask->symbol + 1);
        }
        begin = mask->span.begin + mask->span.num_bytes;
    }
    at = append(at, text + begin, num_bytes - begin);
    *at = '\0';
    *num_masked = (size_t)(at - masked);
    return masked;
}

size_t placeholders_match(const struct placeholders *source, const char *translation,
                          size_t num_bytes, struct text_mask *masks, bool *is_whole) {
    struct placeholders found;
    bool is_taken[PLACEHOLDERS_MAX] = {false};
    placeholders_find(translation, num_bytes, &found);
    size_t num_masks = 0;
    for (size_t i = 0; i < found.num; i++) {
        for (uint32_t j = 0; j < source->num; j++) {
            if (is_taken[j] || source->spans[j].num_bytes != found.spans[i].num_bytes ||
                memcmp(source->text + source->spans[j].begin, translation + found.spans[i].begin,
                       found.spans[i].num_bytes) != 0)
                continue;
            is_taken[j] = true;
            masks[num_masks++] = (struct text_mask){.span = found.spans[i], .symbol = j};
            break;
        }
    }
    *is_whole = num_masks == source->num && found.num == source->num && !found.has_more &&
                !source->has_more;
    return num_masks;
}

// The number of the symbol that a text begins with, and its length; false if it begins with none.
static bool read_symbol(const char *text, uint32_t *symbol, size_t *num_bytes) {
    if (strncmp(text, "<ph", 3) != 0 || !is_digit(text[3]))
        return false;
    size_t end = is_digit(text[4]) ? 5 : 4;
    uint32_t number = end == 5 ? 10 * (uint32_t)(text[3] - '0') + (uint32_t)(text[4] - '0')
                               : (uint32_t)(text[3] - '0');
    if (text[end] != '>' || number >= PLACEHOLDERS_MAX)
        return false;
    *symbol = number;
    *num_bytes = end + 1;
    return true;
}

// Writes the translation as placeholders_restore says, or nothing to NULL; returns its length.
//   num_back  [PLACEHOLDERS_MAX] how often each symbol is there; written
static size_t write_restored(const struct placeholders *source, const char *translation, char *at,
                             uint32_t *num_back) {
    size_t length = 0, symbol_bytes;
    uint32_t symbol;
    memset(num_back, 0, PLACEHOLDERS_MAX * sizeof *num_back);
    for (const char *from = translation; *from;) {
        const char *bytes = from;
        size_t num_bytes = 1;
        if (read_symbol(from, &symbol, &symbol_bytes)) {
            num_bytes = symbol < source->num ? source->spans[symbol].num_bytes : 0;
            bytes = symbol < source->num ? source->text + source->spans[symbol].begin : from;
            num_back[symbol]++;
            from += symbol_bytes;
        } else {
            from++;
        }
        if (at)
            memcpy(at + length, bytes, num_bytes);
        length += num_bytes;
    }
    return length;
}

char *placeholders_restore(const struct placeholders *source, const char *translation,
                           bool *is_whole) {
    uint32_t num_back[PLACEHOLDERS_MAX];
    size_t length = write_restored(source, translation, NULL, num_back);
    char *restored = memory_malloc(length + 1);
    if (!restored)
        return NULL;
    write_restored(source, translation, restored, num_back);
    restored[length] = '\0';
    *is_whole = true;
    for (size_t i = 0; i < PLACEHOLDERS_MAX; i++)
        *is_whole &= num_back[i] == (i < source->num);
    return restored;
}
