// Endless batches of a corpus, prepared by a thread while the device works.
#ifndef DATA_BATCHER_H
#define DATA_BATCHER_H

#include "data/batch.h"
#include "data/corpus.h"

// All functions of one batcher are called from one thread.
struct batcher;

struct batcher_params {
    const struct corpus *corpus; // borrowed while the batcher lives
    uint32_t seed;
    uint32_t max_src_tokens, max_tgt_tokens; // of a batch, </s> included; > 0
    uint32_t max_sequences;                  // of a batch; 0: as many as tokens fit
    uint32_t max_pairs_per_batch;            // a further bound on sequences; 0: none
    uint32_t pool_pairs;                     // sentence pairs sorted by length at a time; 0: 4000
    bool shuffle;                            // default: the corpus's own order, not sorted
    uint32_t start_id;                       // begins the decoder's input
    const struct vks_log *log;               // borrowed during the call
};

// Starts at epoch 0, batch 0. Every pair comes exactly once an epoch; the batches are a function of
// the corpus, the epoch and params alone.
// Errors: VKS_ERR_ARGUMENT for a token capacity of 0 and for a pair that does not fit in an empty
// batch, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status batcher_create(const struct batcher_params *params,
                                              struct batcher **batcher);
void batcher_destroy(struct batcher **batcher);

uint32_t batcher_num_batches(struct batcher *batcher, uint64_t epoch);

// Makes batch_idx of an epoch the next batch; one past the last is the next epoch's first. Batches
// that are borrowed stay so. False, and nothing changed, if the epoch has fewer batches.
bool batcher_seek(struct batcher *batcher, uint64_t epoch, uint64_t batch_idx);

// The next batch; after an epoch's last comes the next epoch's first. Borrowed until the next call
// but one: two may be in use at a time.
const struct batch *batcher_next(struct batcher *batcher);

#endif
