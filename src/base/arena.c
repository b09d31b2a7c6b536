#include "base/arena.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024, ALIGN_BYTES = 16 };

struct arena_block {
    struct arena_block *next;
    size_t used_bytes, size_bytes;
    alignas(ALIGN_BYTES) unsigned char data[];
};

bool arena_reserve(struct arena *arena, size_t bytes) {
    struct arena_block *block;
    size_t total_bytes;
    if (!size_add(bytes, sizeof *block, &total_bytes))
        return false;
    block = memory_calloc(1, total_bytes);
    if (!block)
        return false;
    block->size_bytes = bytes;
    block->next = arena->blocks;
    arena->blocks = block;
    return true;
}

void *arena_alloc(struct arena *arena, size_t num, size_t item_bytes) {
    size_t bytes, padded;
    if (inject_alloc()) // as if a block ended here
        return NULL;
    if (!size_mul(num, item_bytes, &bytes) || !size_add(bytes, ALIGN_BYTES, &padded))
        return NULL;
    bytes = padded / ALIGN_BYTES * ALIGN_BYTES;
    struct arena_block *block = arena->blocks;
    if (!block || block->size_bytes - block->used_bytes < bytes) {
        if (!arena_reserve(arena, bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES))
            return NULL;
        block = arena->blocks;
    }
    void *result = block->data + block->used_bytes;
    block->used_bytes += bytes;
    return result;
}

char *arena_strdup(struct arena *arena, const char *text) {
    size_t bytes = strlen(text) + 1;
    char *copy = arena_alloc(arena, bytes, 1);
    if (copy)
        memcpy(copy, text, bytes);
    return copy;
}

void arena_finish(struct arena *arena) {
    for (struct arena_block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    arena->blocks = NULL;
}
