#include "document/survival.h"

#include "base/memory.h"
#include "document/characters.h"
#include "document/growing.h"

enum { MAX_NAME_BYTES = 64, MAX_TAG_BYTES = 400, MIN_BARE_NAME = 3 };

#define DIGITS "0123456789"
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LETTERS CAPITALS "abcdefghijklmnopqrstuvwxyz"

// How many of the first bytes are in a set.
static size_t span(const char *text, size_t num_bytes, const char *set) {
    size_t i = 0;
    while (i < num_bytes && text[i] && strchr(set, text[i]))
        i++;
    return i;
}

// Bytes of a text that begins with `open` and has bytes of a set up to `close`; else 0.
static size_t enclosed(const char *text, size_t num_bytes, const char *open, const char *set,
                       const char *close) {
    size_t num_open = strlen(open), num_close = strlen(close);
    if (num_bytes < num_open || strncmp(text, open, num_open) != 0)
        return 0;
    size_t inner = span(text + num_open, num_bytes - num_open, set), end = num_open + inner;
    if (inner > MAX_NAME_BYTES || num_bytes - end < num_close ||
        strncmp(text + end, close, num_close) != 0)
        return 0;
    return end + num_close;
}

// Flags, width, precision, length and conversion of a printf directive; 0 if it is none. A blank is
// no flag here: "50 % des" has no placeholder.
static size_t printf_tail(const char *text, size_t num_bytes) {
    size_t i = span(text, num_bytes, "-+#0'I");
    i += span(text + i, num_bytes - i, DIGITS "*");
    if (i < num_bytes && text[i] == '.')
        i += 1 + span(text + i + 1, num_bytes - i - 1, DIGITS "*");
    i += span(text + i, num_bytes - i, "hlLqjzt");
    return i < num_bytes && text[i] && strchr("diouxXeEfFgGaAcspnm@", text[i]) ? i + 1 : 0;
}

static size_t percent_length(const char *text, size_t num_bytes) {
    size_t name = span(text + 1, num_bytes - 1, CAPITALS "_"), length;
    if (num_bytes > 1 && text[1] == '%')
        return 2;
    if (name > 1 && name + 1 < num_bytes && text[name + 1] == '%')
        return name + 2;
    if (name >= MIN_BARE_NAME)
        return name + 1;
    length = enclosed(text, num_bytes, "%{", LETTERS DIGITS "_.-", "}");
    if (length > 0)
        return length;
    size_t prefix = enclosed(text, num_bytes, "%(", LETTERS DIGITS "_.- ", ")");
    if (prefix == 0) {
        prefix = 1 + span(text + 1, num_bytes - 1, DIGITS);
        prefix = prefix > 1 && prefix < num_bytes && text[prefix] == '$' ? prefix + 1 : 1;
    }
    length = printf_tail(text + prefix, num_bytes - prefix);
    if (length > 0)
        return prefix + length;
    size_t number = 1 + (num_bytes > 1 && text[1] == 'L');
    length = span(text + number, num_bytes - number, DIGITS);
    return length > 0 && length <= 2 ? number + length : 0;
}

static size_t brace_length(const char *text, size_t num_bytes) {
    size_t length = enclosed(text, num_bytes, "{{", LETTERS DIGITS "_.:$| -", "}}");
    if (length == 0)
        length = enclosed(text, num_bytes, "{\\", LETTERS DIGITS "\\&(),.-", "}");
    if (length == 0)
        length = enclosed(text, num_bytes, "{", LETTERS DIGITS "_.:!,[]<>=^+#%-", "}");
    return length;
}

static size_t dollar_length(const char *text, size_t num_bytes) {
    static const char name[] = LETTERS DIGITS "_.:-";
    size_t length = enclosed(text, num_bytes, "${", name, "}");
    if (length == 0)
        length = enclosed(text, num_bytes, "$(", name, ")");
    if (length == 0)
        length = enclosed(text, num_bytes, "$[", name, "]");
    if (length == 0 && span(text + 1, num_bytes - 1, LETTERS "_") > 0) {
        length = 1 + span(text + 1, num_bytes - 1, LETTERS DIGITS "_");
        length += length < num_bytes && text[length] == '$';
    }
    return length;
}

static size_t tag_length(const char *text, size_t num_bytes) {
    size_t i = 1 + (num_bytes > 1 && text[1] == '/');
    if (span(text + i, num_bytes - i, LETTERS) == 0)
        return 0;
    while (i < num_bytes && i < MAX_TAG_BYTES && text[i] != '<' && text[i] != '>')
        i++;
    return i < num_bytes && text[i] == '>' ? i + 1 : 0;
}

static size_t entity_length(const char *text, size_t num_bytes) {
    size_t length = enclosed(text, num_bytes, "&#", LETTERS DIGITS, ";");
    length = length ? length : enclosed(text, num_bytes, "&", LETTERS DIGITS, ";");
    return length > 2 ? length : 0;
}

size_t placeholder_length(const char *text, size_t num_bytes, size_t at) {
    const char *begin = text + at;
    size_t rest = num_bytes - at, length;
    switch (rest > 0 ? *begin : 0) {
    case '%':
        return percent_length(begin, rest);
    case '{':
        return brace_length(begin, rest);
    case '$':
        return dollar_length(begin, rest);
    case '<':
        return tag_length(begin, rest);
    case '&':
        return entity_length(begin, rest);
    case '@':
        length = enclosed(begin, rest, "@", CAPITALS DIGITS "_", "@");
        return length > 2 ? length : 0;
    default:
        return 0;
    }
}

bool text_has_words(const char *text, size_t num_bytes) {
    for (size_t at = 0; at < num_bytes;) {
        size_t length = placeholder_length(text, num_bytes, at);
        if (length > 0)
            at += length;
        else if (char_is_letter(char_take(text, num_bytes, &at)))
            return true;
    }
    return false;
}

struct placeholder {
    const char *text;
    size_t num_bytes;
};

struct placeholders {
    struct placeholder *items; // owned
    size_t num, capacity;
};

static int compare(const void *a, const void *b) {
    const struct placeholder *x = a, *y = b;
    size_t num_bytes = x->num_bytes < y->num_bytes ? x->num_bytes : y->num_bytes;
    int order = memcmp(x->text, y->text, num_bytes);
    return order ? order : (x->num_bytes > y->num_bytes) - (x->num_bytes < y->num_bytes);
}

static enum vks_status find(const char *text, struct placeholders *found) {
    size_t num_bytes = strlen(text);
    for (size_t at = 0, length; at < num_bytes; at += length ? length : 1) {
        length = placeholder_length(text, num_bytes, at);
        if (length == 0)
            continue;
        void *items = items_grown(found->items, found->num, &found->capacity, sizeof *found->items);
        if (!items)
            return VKS_ERR_OOM;
        found->items = items;
        found->items[found->num++] = (struct placeholder){text + at, length};
    }
    return VKS_OK;
}

// The next one from `at` on that takes the next argument, as %s and {} do, and %1$s does not.
static const struct placeholder *next_in_order(const struct placeholders *list, size_t *at) {
    while (*at < list->num) {
        const struct placeholder *item = &list->items[(*at)++];
        const char *text = item->text;
        size_t digits = span(text + 1, item->num_bytes - 1, DIGITS);
        bool is_numbered = digits > 0 && (digits + 1 == item->num_bytes || text[digits + 1] == '$');
        if (*text == '%' && !is_numbered && printf_tail(text + 1, item->num_bytes - 1) > 0)
            return item;
    }
    return NULL;
}

static bool have_one_order(const struct placeholders *a, const struct placeholders *b) {
    size_t at_a = 0, at_b = 0;
    for (;;) {
        const struct placeholder *x = next_in_order(a, &at_a), *y = next_in_order(b, &at_b);
        if (!x || !y)
            return x == y;
        if (compare(x, y) != 0)
            return false;
    }
}

static bool are_equal(const struct placeholders *a, const struct placeholders *b) {
    if (a->num != b->num)
        return false;
    if (a->num == 0)
        return true;
    if (!have_one_order(a, b))
        return false;
    qsort(a->items, a->num, sizeof *a->items, compare);
    qsort(b->items, b->num, sizeof *b->items, compare);
    for (size_t i = 0; i < a->num; i++)
        if (compare(&a->items[i], &b->items[i]) != 0)
            return false;
    return true;
}

enum vks_status placeholders_survived(const char *source, const char *translation, bool *survived) {
    struct placeholders a = {0}, b = {0};
    enum vks_status status = find(source, &a);
    if (status == VKS_OK)
        status = find(translation, &b);
    if (status == VKS_OK)
        *survived = are_equal(&a, &b);
    free(a.items);
    free(b.items);
    return status;
}
