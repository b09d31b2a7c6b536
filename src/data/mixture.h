// How often each pair of several corpora comes in an epoch.
//
// Without ratios every pair comes once. With them an epoch has as many pairs as all corpora
// together, of each corpus a number in proportion to its ratio (rounded to sum up, the largest
// remainders up). A corpus is gone through in passes, each in an order of its own, without regard
// to where epochs end: after e epochs exactly e times its number have been taken of it, and the
// pairs of one corpus have come equally often, or once more.
#ifndef DATA_MIXTURE_H
#define DATA_MIXTURE_H

#include "vkseq/text.h"

struct mixture_part {
    double ratio;
    uint64_t num_pairs, pairs_per_epoch;
};

struct mixture {
    struct mixture_part *parts; // owned; [num_parts]
    uint32_t num_parts, seed;
    bool has_ratios;
    uint64_t pairs_per_epoch;
};

// num_pairs: of each set. Errors: VKS_ERR_ARGUMENT for ratios of which one is below 0 or not
// finite, or a set that has a ratio and no pair; VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status mixture_init(const struct vks_text_set *sets,
                                            const uint64_t *num_pairs, uint32_t num_sets,
                                            uint32_t seed, const struct vks_log *log,
                                            struct mixture *mixture);
void mixture_finish(struct mixture *mixture);

// How often a pair of a part comes in an epoch: a function of all of these alone.
uint32_t mixture_copies(const struct mixture *mixture, uint32_t part_idx, uint64_t pair_idx,
                        uint64_t epoch);

#endif
