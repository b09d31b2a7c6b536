// Arenas.
#include "base/arena.h"
#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void memory_is_zeroed_and_aligned(void **state) {
    static const size_t sizes[] = {1, 17, 64, 100000, 3, 0};
    struct arena arena = {0};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        unsigned char *memory = arena_alloc(&arena, sizes[i], 1);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 16, 0);
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(memory[j], 0);
        memset(memory, 0xff, sizes[i]);
    }
    arena_finish(&arena);
}

static void reserved_room_is_one_block(void **state) {
    enum { PIECES = 1000, PIECE_BYTES = 160 };
    struct arena arena = {0};
    (void)state;
    assert_true(arena_reserve(&arena, (PIECES + 1) * PIECE_BYTES));
    const struct arena_block *block = arena.blocks;
    for (int i = 0; i < PIECES; i++)
        assert_non_null(arena_alloc(&arena, PIECE_BYTES - 16, 1));
    assert_ptr_equal(arena.blocks, block);
    arena_finish(&arena);
}

static void sizes_that_wrap_around_give_nothing(void **state) {
    struct arena arena = {0};
    (void)state;
    assert_null(arena_alloc(&arena, SIZE_MAX / 2, 3));
    assert_null(arena_alloc(&arena, SIZE_MAX, 1));
    assert_false(arena_reserve(&arena, SIZE_MAX));
    arena_finish(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(reserved_room_is_one_block),
        cmocka_unit_test(sizes_that_wrap_around_give_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
