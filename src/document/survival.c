#include "document/survival.h"

#include "base/memory.h"
#include "document/characters.h"
#include "document/growing.h"
#include "text/placeholders.h"

#define DIGITS "0123456789"

bool text_has_words(const char *text, size_t num_bytes) {
    for (size_t at = 0; at < num_bytes;) {
        size_t length = placeholders_length(text, num_bytes, at);
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

struct placeholder_list {
    struct placeholder *items; // owned
    size_t num, capacity;
};

static int compare(const void *a, const void *b) {
    const struct placeholder *x = a, *y = b;
    size_t num_bytes = x->num_bytes < y->num_bytes ? x->num_bytes : y->num_bytes;
    int order = memcmp(x->text, y->text, num_bytes);
    return order ? order : (x->num_bytes > y->num_bytes) - (x->num_bytes < y->num_bytes);
}

static enum vks_status find(const char *text, struct placeholder_list *found) {
    size_t num_bytes = strlen(text);
    for (size_t at = 0, length; at < num_bytes; at += length ? length : 1) {
        length = placeholders_length(text, num_bytes, at);
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

// Whether a placeholder takes the next argument, as %s does and %1$s, %1, %(name)s and %NAME do
// not.
static bool goes_by_order(const struct placeholder *item) {
    const char *text = item->text;
    size_t digits = 1;
    while (digits < item->num_bytes && strchr(DIGITS, text[digits]))
        digits++;
    bool is_numbered = digits > 1 && (digits == item->num_bytes || text[digits] == '$');
    bool is_capital = item->num_bytes > 3 && text[1] >= 'A' && text[1] <= 'Z';
    bool is_named = item->num_bytes > 1 && (strchr("({L%", text[1]) || is_capital);
    return text[0] == '%' && text[item->num_bytes - 1] != '%' && !is_numbered && !is_named;
}

static const struct placeholder *next_in_order(const struct placeholder_list *list, size_t *at) {
    while (*at < list->num) {
        const struct placeholder *item = &list->items[(*at)++];
        if (goes_by_order(item))
            return item;
    }
    return NULL;
}

static bool have_one_order(const struct placeholder_list *a, const struct placeholder_list *b) {
    size_t at_a = 0, at_b = 0;
    for (;;) {
        const struct placeholder *x = next_in_order(a, &at_a), *y = next_in_order(b, &at_b);
        if (!x || !y)
            return x == y;
        if (compare(x, y) != 0)
            return false;
    }
}

static bool are_equal(const struct placeholder_list *a, const struct placeholder_list *b) {
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
    struct placeholder_list a = {0}, b = {0};
    enum vks_status status = find(source, &a);
    if (status == VKS_OK)
        status = find(translation, &b);
    if (status == VKS_OK)
        *survived = are_equal(&a, &b);
    free(a.items);
    free(b.items);
    return status;
}
