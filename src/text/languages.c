#include "text/languages.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

enum { LIST_BYTES = 1900, NEAR_LETTERS = 2 };

bool languages_add(struct languages *languages, const char *code, size_t num_bytes, uint32_t id,
                   struct arena *arena) {
    if (languages->num == languages->capacity) {
        uint32_t capacity = languages->capacity ? 2 * languages->capacity : 128;
        struct language *grown = ARENA_NEW(arena, struct language, capacity);
        if (!grown)
            return false;
        if (languages->num > 0)
            memcpy(grown, languages->items, languages->num * sizeof *grown);
        languages->items = grown;
        languages->capacity = capacity;
    }
    char *copy = arena_alloc(arena, num_bytes + 1, 1);
    if (!copy)
        return false;
    memcpy(copy, code, num_bytes);
    languages->items[languages->num++] = (struct language){copy, id};
    return true;
}

// A code without what a token has around it.
static const char *bare(const char *code, size_t *num_bytes) {
    size_t num = strlen(code);
    *num_bytes = num;
    if (num <= 4 || !((memcmp(code, ">>", 2) == 0 && memcmp(code + num - 2, "<<", 2) == 0) ||
                      (memcmp(code, "__", 2) == 0 && memcmp(code + num - 2, "__", 2) == 0)))
        return code;
    *num_bytes = num - 4;
    return code + 2;
}

uint32_t languages_find(const struct languages *languages, const char *code) {
    size_t num_bytes;
    const char *name = bare(code, &num_bytes);
    for (uint32_t i = 0; i < languages->num; i++) {
        const char *other = languages->items[i].code;
        if (strlen(other) == num_bytes && memcmp(other, name, num_bytes) == 0)
            return i;
    }
    return languages->num;
}

uint32_t languages_find_id(const struct languages *languages, uint32_t id) {
    uint32_t i = 0;
    while (i < languages->num && languages->items[i].id != id)
        i++;
    return i;
}

static char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

static bool begins_alike(const char *a, const char *b) {
    for (int i = 0; i < NEAR_LETTERS; i++)
        if (!a[i] || lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

// Codes, those alone that begin like `near` unless it is NULL, as text. Returns how many.
static uint32_t list(const struct languages *languages, const char *near, char text[LIST_BYTES]) {
    uint32_t num = 0;
    size_t num_bytes = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < languages->num; i++) {
        const char *code = languages->items[i].code;
        if (near && !begins_alike(near, code))
            continue;
        num++;
        if (num_bytes + strlen(code) + 6 < LIST_BYTES)
            num_bytes += (size_t)snprintf(text + num_bytes, LIST_BYTES - num_bytes, "%s%s",
                                          num_bytes ? " " : "", code);
        else if (num_bytes < LIST_BYTES - 5 && memcmp(text + num_bytes - 3, "...", 3) != 0)
            num_bytes += (size_t)snprintf(text + num_bytes, LIST_BYTES - num_bytes, " ...");
    }
    return num;
}

void languages_report_unknown(const struct languages *languages, const char *code,
                              const struct vks_log *log) {
    char text[LIST_BYTES];
    size_t num_bytes;
    if (languages->num == 0)
        log_error(log, "the language '%.40s' was asked for, but the vocabulary has none to choose",
                  code);
    else if (list(languages, bare(code, &num_bytes), text) > 0)
        log_error(log, "there is no language '%.40s' among %u; near it are: %s", code,
                  languages->num, text);
    else {
        list(languages, NULL, text);
        log_error(log, "there is no language '%.40s'; expected one of %u: %s", code, languages->num,
                  text);
    }
}

void languages_report_missing(const struct languages *languages, const char *what,
                              const struct vks_log *log) {
    char text[LIST_BYTES];
    list(languages, NULL, text);
    log_error(log, "the %s must be named; expected one of %u: %s", what, languages->num, text);
}
