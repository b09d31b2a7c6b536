// Broken invariants, kept in release builds, and size arithmetic that cannot wrap around.
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A broken invariant is a bug in vkseq, never a user's mistake: says where and aborts.
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            check_failed(__FILE__, __LINE__, #condition);                                          \
    } while (0)

_Noreturn void check_failed(const char *file, int line, const char *condition);

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

// *product = a * b; false, and *product untouched, when it does not fit.
static inline bool size_mul(size_t a, size_t b, size_t *product) {
    size_t result;
    if (__builtin_mul_overflow(a, b, &result))
        return false;
    *product = result;
    return true;
}

// *sum = a + b; false, and *sum untouched, when it does not fit.
static inline bool size_add(size_t a, size_t b, size_t *sum) {
    size_t result;
    if (__builtin_add_overflow(a, b, &result))
        return false;
    *sum = result;
    return true;
}

static inline uint64_t round_up_u64(uint64_t value, uint64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

static inline uint32_t div_up_u32(uint32_t value, uint32_t divisor) {
    return value / divisor + (value % divisor != 0);
}

static inline uint32_t min_u32(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static inline uint32_t max_u32(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

#endif
