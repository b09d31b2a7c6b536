#include "data/mixture.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rng.h"

#include <math.h>

// Keeps the mixture's random numbers apart from other users of the same seed.
enum { RNG_STREAM = 0x6D697874, NUM_ROUNDS = 4 };

static enum vks_status read_ratios(struct mixture *mixture, const struct vks_text_set *sets,
                                   const uint64_t *num_pairs, const struct vks_log *log) {
    for (uint32_t i = 0; i < mixture->num_parts; i++) {
        const struct mixture_part part = {sets[i].ratio, num_pairs[i], num_pairs[i]};
        if (!(part.ratio >= 0) || !isfinite(part.ratio)) {
            log_error(log, "%s: its ratio is %g; expected a number of at least 0", sets[i].source,
                      part.ratio);
            return VKS_ERR_ARGUMENT;
        }
        if (part.ratio > 0 && part.num_pairs == 0) {
            log_error(log, "%s: it has a ratio of %g, but no pair to use", sets[i].source,
                      part.ratio);
            return VKS_ERR_ARGUMENT;
        }
        mixture->parts[i] = part;
        mixture->has_ratios |= part.ratio > 0;
        mixture->pairs_per_epoch += num_pairs[i];
    }
    return VKS_OK;
}

// Shares out an epoch's pairs by largest remainders; of equal ones the first.
static void share_out(struct mixture *mixture) {
    double sum = 0;
    uint64_t num_left = mixture->pairs_per_epoch;
    for (uint32_t i = 0; i < mixture->num_parts; i++)
        sum += mixture->parts[i].ratio;
    double pairs_a_ratio = (double)mixture->pairs_per_epoch / sum;
    for (uint32_t i = 0; i < mixture->num_parts; i++) {
        struct mixture_part *part = &mixture->parts[i];
        part->pairs_per_epoch = (uint64_t)(part->ratio * pairs_a_ratio);
        if (part->pairs_per_epoch > num_left)
            part->pairs_per_epoch = num_left;
        num_left -= part->pairs_per_epoch;
    }
    for (; num_left > 0; num_left--) {
        struct mixture_part *best = NULL;
        double best_remainder = -HUGE_VAL;
        for (uint32_t i = 0; i < mixture->num_parts; i++) {
            struct mixture_part *part = &mixture->parts[i];
            double remainder = part->ratio * pairs_a_ratio - (double)part->pairs_per_epoch;
            if (part->ratio > 0 && remainder > best_remainder) {
                best = part;
                best_remainder = remainder;
            }
        }
        best->pairs_per_epoch++;
    }
}

enum vks_status mixture_init(const struct vks_text_set *sets, const uint64_t *num_pairs,
                             uint32_t num_sets, uint32_t seed, const struct vks_log *log,
                             struct mixture *mixture) {
    struct mixture made = {.num_parts = num_sets, .seed = seed};
    made.parts = memory_calloc(num_sets, sizeof *made.parts);
    if (!made.parts) {
        log_error(log, "out of memory for %u corpora", num_sets);
        return VKS_ERR_OOM;
    }
    enum vks_status status = read_ratios(&made, sets, num_pairs, log);
    if (status != VKS_OK) {
        mixture_finish(&made);
        return status;
    }
    if (made.has_ratios)
        share_out(&made);
    *mixture = made;
    return VKS_OK;
}

void mixture_finish(struct mixture *mixture) {
    free(mixture->parts);
    *mixture = (struct mixture){0};
}

// Where a pair stands in a pass over its part: a permutation of the part's pairs. Feistel's network
// over the smallest even number of bits that holds them, repeated until it gives a pair (Black and
// Rogaway 2002, "Ciphers with arbitrary finite domains", the cycle-walking cipher).
static uint64_t place_in_pass(const struct mixture *mixture, uint32_t part_idx, uint64_t pair_idx,
                              uint64_t pass) {
    uint64_t num_pairs = mixture->parts[part_idx].num_pairs, place = pair_idx;
    const uint32_t key[2] = {mixture->seed, RNG_STREAM ^ part_idx};
    unsigned half_bits = 1;
    while (half_bits < 32 && num_pairs > (uint64_t)1 << 2 * half_bits)
        half_bits++;
    uint32_t mask = (uint32_t)(((uint64_t)1 << half_bits) - 1);
    do {
        uint32_t left = (uint32_t)(place >> half_bits), right = (uint32_t)place & mask;
        for (uint32_t round = 0; round < NUM_ROUNDS; round++) {
            const uint32_t counter[4] = {right, round, (uint32_t)pass, (uint32_t)(pass >> 32)};
            uint32_t random[4];
            philox4x32(key, counter, random);
            uint32_t mixed = left ^ (random[0] & mask);
            left = right;
            right = mixed;
        }
        place = (uint64_t)left << half_bits | right;
    } while (place >= num_pairs);
    return place;
}

uint32_t mixture_copies(const struct mixture *mixture, uint32_t part_idx, uint64_t pair_idx,
                        uint64_t epoch) {
    const struct mixture_part *part = &mixture->parts[part_idx];
    if (!mixture->has_ratios)
        return 1;
    if (part->pairs_per_epoch == 0)
        return 0;
    // The epoch's pairs in the endless sequence of passes.
    uint64_t begin = epoch * part->pairs_per_epoch, end = begin + part->pairs_per_epoch;
    uint64_t first_pass = begin / part->num_pairs, last_pass = (end - 1) / part->num_pairs;
    uint64_t num_copies = last_pass - first_pass + 1;
    if (first_pass * part->num_pairs + place_in_pass(mixture, part_idx, pair_idx, first_pass) <
        begin)
        num_copies--;
    if (last_pass * part->num_pairs + place_in_pass(mixture, part_idx, pair_idx, last_pass) >= end)
        num_copies--;
    return (uint32_t)num_copies;
}
