// Which pairs make which batch of an epoch.
#ifndef DATA_EPOCH_PLAN_H
#define DATA_EPOCH_PLAN_H

#include "data/batch.h"
#include "data/corpus.h"
#include "data/mixture.h"

// What is shuffled in an epoch: pairs and batches, only batches, or nothing.
enum epoch_shuffle { SHUFFLE_DATA, SHUFFLE_BATCHES, SHUFFLE_NONE };

// What a pool is sorted by: the longer and then the shorter side, one side and then the other one,
// or nothing. What is not shuffled is not sorted either.
enum pool_sort { SORT_LONGER, SORT_TARGET, SORT_SOURCE, SORT_NONE };

struct epoch_plan_params {
    const struct corpus *corpus;   // borrowed while the plan lives
    const struct mixture *mixture; // borrowed; of the corpus's sets; NULL: each pair comes once
    struct batch_capacity capacity;
    uint32_t pool_pairs;
    enum epoch_shuffle shuffle;
    enum pool_sort sort;
    uint32_t seed;
};

// pairs[begin .. begin + num) of the plan.
struct epoch_plan_batch {
    uint32_t begin, num;
};

struct epoch_plan {
    struct epoch_plan_params params;
    bool is_made;
    uint64_t epoch;                   // that it was made for
    uint32_t *pairs;                  // [num_pairs]
    uint32_t num_pairs;               // of an epoch
    struct epoch_plan_batch *batches; // [num_batches]
    uint32_t num_batches;
    struct epoch_plan_key *keys; // [pool_pairs], scratch
};

// Memory for any epoch; no plan is made yet. Every pair must fit in an empty batch.
// Errors: VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status epoch_plan_create(const struct epoch_plan_params *params,
                                                 const struct vks_log *log,
                                                 struct epoch_plan **plan);
void epoch_plan_destroy(struct epoch_plan **plan);

// Plans an epoch, unless it is the one planned last. A function of params, epoch and pool_idx
// alone: shuffles the pairs, cuts them in pools, sorts each pool, closes a batch at whichever
// capacity fills first or at the pool's end, and shuffles the pool's batches. Without shuffling,
// pairs stay in the order of the corpus. pool_idx: which part of an epoch the corpus is, if it is
// one.
void epoch_plan_make(struct epoch_plan *plan, uint64_t epoch, uint64_t pool_idx);

#endif
