// Token ids of pairs, one behind the other, in arrays that grow.
#ifndef DATA_PIECE_H
#define DATA_PIECE_H

#include "data/alignments.h"

// Zero-initialised is empty. All arrays are owned.
struct piece {
    uint32_t *ids[NUM_SIDES];     // end to end, </s> included
    uint64_t *offsets[NUM_SIDES]; // [num_pairs + 1], once there is a pair
    float *weights;               // like the target's ids; NULL: the pairs have none
    struct alignment_links links; // of all pairs
    uint64_t *link_offsets;       // [num_pairs + 1]; NULL: the pairs have no links
    uint32_t *sets, *lines;       // [num_pairs]: the corpus, and its line, from 1 on
    size_t num_pairs, max_pairs, max_ids[NUM_SIDES], max_weights;
    uint64_t num_empty, num_long; // pairs that were left out, or cut, on the way
};

// A pair that is added; </s> ends the ids.
struct piece_pair {
    const uint32_t *ids[NUM_SIDES];
    size_t num_ids[NUM_SIDES];
    const float *weights;                // of the target's ids; NULL: none, as for all other pairs
    const struct alignment_links *links; // NULL: none, as for all other pairs
    uint32_t set_idx, line;
};

// False if there is no memory; the piece is as it was then.
bool piece_add_pair(struct piece *piece, const struct piece_pair *pair);
// Adds another piece's pairs and counts. False if there is no memory; the piece is as it was then.
bool piece_add(struct piece *piece, const struct piece *other);
// Number of ids of a side of all pairs.
uint64_t piece_num_ids(const struct piece *piece, enum vks_side side);
void piece_finish(struct piece *piece);

#endif
