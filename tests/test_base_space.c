// Pieces of a stretch of places, against a plain list of which are taken.
#include "base/check.h"
#include "base/rng.h"
#include "base/space.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { NUM_PLACES = 50, MAX_PIECES = 8, MAX_PIECE = 20, NUM_ROUNDS = 20000 };

// The first place where so many are free; NUM_PLACES: there is none.
static uint32_t first_free(const bool *taken, uint32_t num) {
    for (uint32_t first = 0; first + num <= NUM_PLACES; first++) {
        uint32_t i = 0;
        while (i < num && !taken[first + i])
            i++;
        if (i == num)
            return first;
    }
    return NUM_PLACES;
}

static void mark(bool *taken, const struct space_piece *piece, bool value) {
    for (uint32_t i = 0; i < piece->num; i++)
        taken[piece->first + i] = value;
}

static void pieces_lie_where_the_first_room_is(void **state) {
    (void)state;
    struct space_piece room[MAX_PIECES], mine[MAX_PIECES];
    struct space space;
    struct rng rng = {.seed = 1};
    bool taken[NUM_PLACES] = {false};
    uint32_t num = 0, num_full = 0, num_short = 0;
    space_init(NUM_PLACES, room, MAX_PIECES, &space);
    for (int i = 0; i < NUM_ROUNDS; i++) {
        if (num > 0 && rng_below(&rng, 5) < 2) {
            uint32_t idx = rng_below(&rng, num);
            space_give_back(&space, mine[idx].first, mine[idx].num);
            mark(taken, &mine[idx], false);
            mine[idx] = mine[--num];
            continue;
        }
        struct space_piece piece = {1234, 1 + rng_below(&rng, MAX_PIECE)};
        uint32_t expected = first_free(taken, piece.num);
        bool has_room = expected < NUM_PLACES && num < MAX_PIECES;
        assert_int_equal(space_take(&space, piece.num, &piece.first), has_room);
        assert_int_equal(piece.first, has_room ? expected : 1234);
        num_full += num == MAX_PIECES;
        num_short += expected == NUM_PLACES;
        if (!has_room)
            continue;
        mark(taken, &piece, true);
        mine[num++] = piece;
    }
    assert_true(num_full > 0 && num_short > 0);
}

static void nothing_has_room_everywhere(void **state) {
    (void)state;
    struct space space;
    uint32_t first = 7;
    space_init(0, NULL, 0, &space);
    assert_true(space_take(&space, 0, &first));
    assert_int_equal(first, 0);
    space_give_back(&space, 0, 0);
    assert_false(space_take(&space, 1, &first));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_lie_where_the_first_room_is),
        cmocka_unit_test(nothing_has_room_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
