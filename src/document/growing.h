// Texts and arrays that grow.
#ifndef DOCUMENT_GROWING_H
#define DOCUMENT_GROWING_H

#include "vkseq/base.h"

// Zero-initialised is empty. text is owned: text_buffer_finish.
struct text_buffer {
    char *text;
    size_t num_bytes, capacity;
    bool is_short; // memory ran out; nothing is appended from then on
};

void text_append(struct text_buffer *buffer, const char *text, size_t num_bytes);
void text_append_string(struct text_buffer *buffer, const char *text);
// Puts a text in front of what stands at `at`.
void text_insert(struct text_buffer *buffer, size_t at, const char *text);
// The text with a NUL behind it, owned by the caller (free); the buffer is empty then.
// num_bytes may be NULL. Errors: VKS_ERR_OOM, also for an earlier append.
VKS_MUST_CHECK enum vks_status text_take(struct text_buffer *buffer, char **text,
                                         size_t *num_bytes);
void text_buffer_finish(struct text_buffer *buffer);

// items with room for one more than num of them, or NULL if memory ran out, when items are still
// there.
void *items_grown(void *items, size_t num, size_t *capacity, size_t item_bytes);

#endif
