// Host memory. All of the library's own allocations come from here, so that tests can make each of
// them fail (base/inject.h); release with free().
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include "base/inject.h"

#include <stdlib.h>
#include <string.h>

// Like the functions of the C library of the same names.
static inline void *memory_malloc(size_t num_bytes) {
    return inject_alloc() ? NULL : malloc(num_bytes);
}

static inline void *memory_calloc(size_t num, size_t item_bytes) {
    return inject_alloc() ? NULL : calloc(num, item_bytes);
}

static inline void *memory_realloc(void *memory, size_t num_bytes) {
    return inject_alloc() ? NULL : realloc(memory, num_bytes);
}

static inline char *memory_strdup(const char *text) {
    return inject_alloc() ? NULL : strdup(text);
}

#endif
