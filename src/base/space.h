// A stretch of places, numbered from 0, that is given out in pieces and taken back.
#ifndef BASE_SPACE_H
#define BASE_SPACE_H

#include <stdbool.h>
#include <stdint.h>

struct space_piece {
    uint32_t first, num;
};

struct space {
    uint32_t num_places;
    struct space_piece *pieces; // [max_pieces]; borrowed: those that are taken, in order
    uint32_t num_pieces, max_pieces;
};

// pieces [max_pieces]: room, which lives as long as the space.
void space_init(uint32_t num_places, struct space_piece *pieces, uint32_t max_pieces,
                struct space *space);

// The first `num` free places that lie together; none are at 0. False if there are none, or
// max_pieces are taken; *first is untouched then.
bool space_take(struct space *space, uint32_t num, uint32_t *first);

// Takes back a piece; num as when it was given.
void space_give_back(struct space *space, uint32_t first, uint32_t num);

#endif
