// Which pairs make which batch of an epoch.
#ifndef DATA_EPOCH_PLAN_H
#define DATA_EPOCH_PLAN_H

#include "data/batch.h"
#include "data/corpus.h"

struct epoch_plan_params {
    const struct corpus *corpus; // borrowed while the plan lives
    struct batch_capacity capacity;
    uint32_t pool_pairs;
    bool shuffle;
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
    uint32_t *pairs;                  // [pairs of the corpus]
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

// Plans an epoch, unless it is the one planned last. A function of params and epoch alone:
// shuffles the pairs, cuts them in pools, sorts each pool by the longer and then by the shorter
// side, closes a batch at whichever capacity fills first or at the pool's end, and shuffles the
// pool's batches. Without shuffling, pairs stay in the order of the corpus.
void epoch_plan_make(struct epoch_plan *plan, uint64_t epoch);

#endif
