#include "base/space.h"

#include "base/check.h"

#include <string.h>

void space_init(uint32_t num_places, struct space_piece *pieces, uint32_t max_pieces,
                struct space *space) {
    *space = (struct space){num_places, pieces, 0, max_pieces};
}

bool space_take(struct space *space, uint32_t num, uint32_t *first) {
    uint32_t begin = 0, i = 0;
    if (num == 0) {
        *first = 0;
        return true;
    }
    for (; i < space->num_pieces && space->pieces[i].first - begin < num; i++)
        begin = space->pieces[i].first + space->pieces[i].num;
    if (space->num_places - begin < num || space->num_pieces == space->max_pieces)
        return false;
    memmove(space->pieces + i + 1, space->pieces + i,
            (space->num_pieces - i) * sizeof *space->pieces);
    space->pieces[i] = (struct space_piece){begin, num};
    space->num_pieces++;
    *first = begin;
    return true;
}

void space_give_back(struct space *space, uint32_t first, uint32_t num) {
    uint32_t i = 0;
    if (num == 0)
        return;
    while (i < space->num_pieces && space->pieces[i].first != first)
        i++;
    CHECK(i < space->num_pieces && space->pieces[i].num == num);
    space->num_pieces--;
    memmove(space->pieces + i, space->pieces + i + 1,
            (space->num_pieces - i) * sizeof *space->pieces);
}
