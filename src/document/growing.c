#include "document/growing.h"

#include "base/check.h"
#include "base/memory.h"

enum { MIN_BYTES = 256, MIN_ITEMS = 16 };

// Room for more bytes and a NUL behind them.
static bool make_room(struct text_buffer *buffer, size_t num_bytes) {
    size_t needed, doubled;
    if (buffer->is_short || !size_add(buffer->num_bytes, num_bytes, &needed) ||
        !size_add(needed, MIN_BYTES, &needed)) {
        buffer->is_short = true;
        return false;
    }
    if (needed - MIN_BYTES < buffer->capacity)
        return true;
    if (size_mul(buffer->capacity, 2, &doubled) && doubled > needed)
        needed = doubled;
    char *text = memory_realloc(buffer->text, needed);
    buffer->is_short = !text;
    if (text) {
        buffer->text = text;
        buffer->capacity = needed;
    }
    return text;
}

void text_append(struct text_buffer *buffer, const char *text, size_t num_bytes) {
    if (num_bytes == 0 || !make_room(buffer, num_bytes))
        return;
    memcpy(buffer->text + buffer->num_bytes, text, num_bytes);
    buffer->num_bytes += num_bytes;
}

void text_append_string(struct text_buffer *buffer, const char *text) {
    text_append(buffer, text, strlen(text));
}

void text_insert(struct text_buffer *buffer, size_t at, const char *text) {
    size_t num_bytes = strlen(text);
    if (!make_room(buffer, num_bytes))
        return;
    memmove(buffer->text + at + num_bytes, buffer->text + at, buffer->num_bytes - at);
    memcpy(buffer->text + at, text, num_bytes);
    buffer->num_bytes += num_bytes;
}

enum vks_status text_take(struct text_buffer *buffer, char **text, size_t *num_bytes) {
    if (!make_room(buffer, 0)) {
        text_buffer_finish(buffer);
        return VKS_ERR_OOM;
    }
    buffer->text[buffer->num_bytes] = '\0';
    *text = buffer->text;
    if (num_bytes)
        *num_bytes = buffer->num_bytes;
    *buffer = (struct text_buffer){0};
    return VKS_OK;
}

void text_buffer_finish(struct text_buffer *buffer) {
    free(buffer->text);
    *buffer = (struct text_buffer){0};
}

void *items_grown(void *items, size_t num, size_t *capacity, size_t item_bytes) {
    size_t grown = *capacity ? *capacity : MIN_ITEMS, bytes;
    if (num < *capacity)
        return items;
    if ((*capacity && !size_mul(*capacity, 2, &grown)) || !size_mul(grown, item_bytes, &bytes))
        return NULL;
    void *result = memory_realloc(items, bytes);
    if (result)
        *capacity = grown;
    return result;
}
