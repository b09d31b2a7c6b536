#include "data/epoch_plan.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rng.h"

#include <stdlib.h>

// Keeps the batcher's random numbers apart from other users of the same seed.
enum { RNG_STREAM = 0x62617463 };

struct epoch_plan_key {
    uint32_t first, second, position, pair_idx;
};

enum vks_status epoch_plan_create(const struct epoch_plan_params *params, const struct vks_log *log,
                                  struct epoch_plan **plan) {
    const struct mixture *mixture = params->mixture;
    uint32_t num_pairs =
        mixture ? (uint32_t)mixture->pairs_per_epoch : corpus_num_pairs(params->corpus);
    struct epoch_plan *created = memory_calloc(1, sizeof *created);
    if (created) {
        created->params = *params;
        created->params.pool_pairs = min_u32(params->pool_pairs, num_pairs);
        created->num_pairs = num_pairs;
        created->pairs = memory_calloc(num_pairs, sizeof *created->pairs);
        created->batches = memory_calloc(num_pairs, sizeof *created->batches);
        created->keys = memory_calloc(created->params.pool_pairs, sizeof *created->keys);
    }
    if (!created || !created->pairs || !created->batches || !created->keys) {
        epoch_plan_destroy(&created);
        log_error(log, "out of memory for the order of %u sentence pairs", num_pairs);
        return VKS_ERR_OOM;
    }
    *plan = created;
    return VKS_OK;
}

void epoch_plan_destroy(struct epoch_plan **plan) {
    if (!*plan)
        return;
    free((*plan)->pairs);
    free((*plan)->batches);
    free((*plan)->keys);
    free(*plan);
    *plan = NULL;
}

static int compare_keys(const void *a, const void *b) {
    const struct epoch_plan_key *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    if (x->second != y->second)
        return x->second < y->second ? -1 : 1;
    return x->position < y->position ? -1 : x->position > y->position;
}

static struct epoch_plan_key make_key(enum pool_sort sort, uint32_t src, uint32_t tgt) {
    switch (sort) {
    case SORT_SOURCE:
        return (struct epoch_plan_key){.first = src, .second = tgt};
    case SORT_TARGET:
        return (struct epoch_plan_key){.first = tgt, .second = src};
    case SORT_LONGER:
        return (struct epoch_plan_key){.first = max_u32(src, tgt), .second = min_u32(src, tgt)};
    case SORT_NONE:
        break;
    }
    return (struct epoch_plan_key){0};
}

static void sort_pool(struct epoch_plan *plan, uint32_t begin, uint32_t end) {
    const struct corpus *corpus = plan->params.corpus;
    uint32_t *pairs = plan->pairs + begin, num = end - begin;
    for (uint32_t i = 0; i < num; i++) {
        uint32_t src = corpus_length(corpus, VKS_SOURCE, pairs[i]);
        uint32_t tgt = corpus_length(corpus, VKS_TARGET, pairs[i]);
        plan->keys[i] = make_key(plan->params.sort, src, tgt);
        plan->keys[i].position = i;
        plan->keys[i].pair_idx = pairs[i];
    }
    qsort(plan->keys, num, sizeof *plan->keys, compare_keys);
    for (uint32_t i = 0; i < num; i++)
        pairs[i] = plan->keys[i].pair_idx;
}

static void cut_batches(struct epoch_plan *plan, uint32_t begin, uint32_t end) {
    const struct batch_capacity *capacity = &plan->params.capacity;
    struct epoch_plan_batch *batch = NULL;
    uint32_t num_src = 0, num_tgt = 0;
    for (uint32_t i = begin; i < end; i++) {
        uint32_t src = corpus_length(plan->params.corpus, VKS_SOURCE, plan->pairs[i]);
        uint32_t tgt = corpus_length(plan->params.corpus, VKS_TARGET, plan->pairs[i]);
        if (!batch || batch->num == capacity->num_sequences ||
            src > capacity->num_src_tokens - num_src || tgt > capacity->num_tgt_tokens - num_tgt) {
            batch = &plan->batches[plan->num_batches++];
            *batch = (struct epoch_plan_batch){.begin = i};
            num_src = num_tgt = 0;
        }
        batch->num++;
        num_src += src;
        num_tgt += tgt;
    }
}

// Fisher and Yates, in Durstenfeld's form (1964, CACM algorithm 235).
static void shuffle_pairs(struct rng *rng, uint32_t *pairs, uint32_t num) {
    for (uint32_t i = num; i > 1; i--) {
        uint32_t j = rng_below(rng, i), swapped = pairs[j];
        pairs[j] = pairs[i - 1];
        pairs[i - 1] = swapped;
    }
}

static void shuffle_batches(struct rng *rng, struct epoch_plan_batch *batches, uint32_t num) {
    for (uint32_t i = num; i > 1; i--) {
        uint32_t j = rng_below(rng, i);
        struct epoch_plan_batch swapped = batches[j];
        batches[j] = batches[i - 1];
        batches[i - 1] = swapped;
    }
}

// The epoch's pairs in the order of the corpus.
static void list_pairs(struct epoch_plan *plan, uint64_t epoch) {
    const struct corpus *corpus = plan->params.corpus;
    uint32_t num = 0, set_idx = 0, set_begin = 0;
    for (uint32_t i = 0; i < corpus_num_pairs(corpus); i++) {
        uint32_t num_copies = 1;
        if (plan->params.mixture) {
            if (corpus_set(corpus, i) != set_idx) {
                set_idx = corpus_set(corpus, i);
                set_begin = i;
            }
            num_copies = mixture_copies(plan->params.mixture, set_idx, i - set_begin, epoch);
        }
        while (num_copies-- > 0)
            plan->pairs[num++] = i;
    }
    CHECK(num == plan->num_pairs);
}

void epoch_plan_make(struct epoch_plan *plan, uint64_t epoch, uint64_t pool_idx) {
    if (plan->is_made && plan->epoch == epoch)
        return;
    uint32_t num_pairs = plan->num_pairs;
    plan->is_made = true;
    plan->epoch = epoch;
    plan->num_batches = 0;
    list_pairs(plan, epoch);
    if (plan->params.shuffle == SHUFFLE_NONE) {
        cut_batches(plan, 0, num_pairs);
        return;
    }
    // Each part of an epoch has a stretch of random numbers of its own.
    struct rng rng = {.seed = plan->params.seed,
                      .stream = RNG_STREAM ^ (uint32_t)epoch,
                      .counter = pool_idx << 32};
    if (plan->params.shuffle == SHUFFLE_DATA)
        shuffle_pairs(&rng, plan->pairs, num_pairs);
    for (uint32_t begin = 0, end; begin < num_pairs; begin = end) {
        end = begin + min_u32(plan->params.pool_pairs, num_pairs - begin);
        uint32_t first_batch = plan->num_batches;
        sort_pool(plan, begin, end);
        cut_batches(plan, begin, end);
        shuffle_batches(&rng, plan->batches + first_batch, plan->num_batches - first_batch);
    }
}
