// Many small allocations with one lifetime, released together.
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

// Zero-initialised is an empty arena.
struct arena {
    struct arena_block *blocks;
};

// Zeroed memory, 16-byte aligned; NULL when there is none. Lives until arena_finish.
void *arena_alloc(struct arena *arena, size_t num, size_t item_bytes);
// Makes room: what fits in `bytes`, its alignment included, will not fail. False when there is no
// memory.
bool arena_reserve(struct arena *arena, size_t bytes);
// A copy of the text; NULL when there is no memory.
char *arena_strdup(struct arena *arena, const char *text);
void arena_finish(struct arena *arena);

#define ARENA_NEW(arena, type, num) ((type *)arena_alloc(arena, (num), sizeof(type)))

#endif
