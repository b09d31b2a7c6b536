#include "data/piece.h"

#include "base/check.h"
#include "base/memory.h"

// An array's memory for num items, which may have moved; NULL, and the array as it was, if there is
// none.
static void *resize(void *array, size_t num, size_t item_bytes) {
    size_t num_bytes;
    return size_mul(num, item_bytes, &num_bytes) ? memory_realloc(array, num_bytes) : NULL;
}

// How many items to make room for when num are needed.
static size_t with_room(size_t num) {
    return num + num / 2;
}

static bool resize_offsets(uint64_t **offsets, size_t max_pairs) {
    uint64_t *resized = resize(*offsets, max_pairs + 1, sizeof *resized);
    if (!resized)
        return false;
    if (!*offsets)
        resized[0] = 0;
    *offsets = resized;
    return true;
}

static bool reserve_pairs(struct piece *piece, size_t num, bool has_links) {
    if (num <= piece->max_pairs)
        return true;
    size_t max_pairs = with_room(num);
    for (int side = 0; side < NUM_SIDES; side++)
        if (!resize_offsets(&piece->offsets[side], max_pairs))
            return false;
    if (has_links && !resize_offsets(&piece->link_offsets, max_pairs))
        return false;
    uint32_t *sets = resize(piece->sets, max_pairs, sizeof *sets);
    if (!sets)
        return false;
    piece->sets = sets;
    uint32_t *lines = resize(piece->lines, max_pairs, sizeof *lines);
    if (!lines)
        return false;
    piece->lines = lines;
    piece->max_pairs = max_pairs;
    return true;
}

static bool reserve_ids(struct piece *piece, enum vks_side side, size_t num) {
    if (num <= piece->max_ids[side])
        return true;
    uint32_t *ids = resize(piece->ids[side], with_room(num), sizeof *ids);
    if (!ids)
        return false;
    piece->ids[side] = ids;
    piece->max_ids[side] = with_room(num);
    return true;
}

static bool reserve_weights(struct piece *piece, size_t num) {
    if (num <= piece->max_weights)
        return true;
    float *weights = resize(piece->weights, with_room(num), sizeof *weights);
    if (!weights)
        return false;
    piece->weights = weights;
    piece->max_weights = with_room(num);
    return true;
}

uint64_t piece_num_ids(const struct piece *piece, enum vks_side side) {
    return piece->num_pairs ? piece->offsets[side][piece->num_pairs] : 0;
}

bool piece_add_pair(struct piece *piece, const struct piece_pair *pair) {
    // One pair as a piece of its own.
    const uint64_t offsets[NUM_SIDES][2] = {{0, pair->num_ids[0]}, {0, pair->num_ids[1]}};
    const uint64_t link_offsets[2] = {0, pair->links ? pair->links->num : 0};
    const struct piece single = {
        .ids = {(uint32_t *)pair->ids[0], (uint32_t *)pair->ids[1]},
        .offsets = {(uint64_t *)offsets[0], (uint64_t *)offsets[1]},
        .weights = (float *)pair->weights,
        .links = pair->links ? *pair->links : (struct alignment_links){0},
        .link_offsets = pair->links ? (uint64_t *)link_offsets : NULL,
        .sets = (uint32_t *)&pair->set_idx,
        .lines = (uint32_t *)&pair->line,
        .num_pairs = 1,
    };
    return piece_add(piece, &single);
}

static bool reserve(struct piece *piece, const struct piece *other) {
    size_t num_pairs = piece->num_pairs + other->num_pairs;
    size_t num_ids[NUM_SIDES];
    for (int side = 0; side < NUM_SIDES; side++) {
        num_ids[side] =
            piece_num_ids(piece, (enum vks_side)side) + piece_num_ids(other, (enum vks_side)side);
        if (!reserve_ids(piece, (enum vks_side)side, num_ids[side]))
            return false;
    }
    return reserve_pairs(piece, num_pairs, other->link_offsets != NULL) &&
           (!other->weights || reserve_weights(piece, num_ids[VKS_TARGET])) &&
           alignment_links_reserve(&piece->links, piece->links.num + other->links.num);
}

// Appends the links and their offsets; there is room.
static void add_links(struct piece *piece, const struct piece *other) {
    size_t begin = piece->links.num;
    if (!other->link_offsets)
        return;
    for (size_t i = 1; i <= other->num_pairs; i++)
        piece->link_offsets[piece->num_pairs + i] = begin + other->link_offsets[i];
    if (other->links.num)
        memcpy(piece->links.items + begin, other->links.items,
               other->links.num * sizeof *other->links.items);
    piece->links.num += other->links.num;
}

bool piece_add(struct piece *piece, const struct piece *other) {
    size_t num_pairs = piece->num_pairs, num_added = other->num_pairs;
    if (num_added > 0) {
        if (!reserve(piece, other))
            return false;
        for (int side = 0; side < NUM_SIDES; side++) {
            uint64_t begin = piece->offsets[side][num_pairs];
            memcpy(piece->ids[side] + begin, other->ids[side],
                   other->offsets[side][num_added] * sizeof(uint32_t));
            for (size_t i = 1; i <= num_added; i++)
                piece->offsets[side][num_pairs + i] = begin + other->offsets[side][i];
        }
        if (other->weights)
            memcpy(piece->weights + piece->offsets[VKS_TARGET][num_pairs], other->weights,
                   other->offsets[VKS_TARGET][num_added] * sizeof(float));
        add_links(piece, other);
        memcpy(piece->sets + num_pairs, other->sets, num_added * sizeof *piece->sets);
        memcpy(piece->lines + num_pairs, other->lines, num_added * sizeof *piece->lines);
        piece->num_pairs += num_added;
    }
    piece->num_empty += other->num_empty;
    piece->num_long += other->num_long;
    return true;
}

void piece_finish(struct piece *piece) {
    for (int side = 0; side < NUM_SIDES; side++) {
        free(piece->ids[side]);
        free(piece->offsets[side]);
    }
    free(piece->weights);
    free(piece->links.items);
    free(piece->link_offsets);
    free(piece->sets);
    free(piece->lines);
    *piece = (struct piece){0};
}
