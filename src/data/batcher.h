// Endless batches of a corpus, prepared by a thread while the device works.
#ifndef DATA_BATCHER_H
#define DATA_BATCHER_H

#include "data/batch.h"
#include "data/epoch_plan.h"
#include "data/pool_reader.h"

// All functions of one batcher are called from one thread.
struct batcher;

struct batcher_params {
    // What the batches are of, borrowed while the batcher lives: a corpus in memory, or the pairs
    // of a stream, pool by pool.
    const struct corpus *corpus;
    const struct mixture *mixture; // of the corpus's sets; NULL: each pair comes once an epoch
    struct pair_stream *stream;
    const struct encoder_params *encoder; // of the stream's text
    uint32_t seed;
    uint32_t max_src_tokens, max_tgt_tokens; // of a batch, </s> included; > 0
    uint32_t max_sequences;                  // of a batch; 0: as many as tokens fit
    uint32_t max_pairs_per_batch;            // a further bound on sequences; 0: none
    uint32_t pool_pairs;                     // sentence pairs sorted by length at a time; 0: 4000
    enum epoch_shuffle shuffle;              // a stream comes in its own order
    enum pool_sort sort;
    uint32_t start_id;         // begins the decoder's input
    uint32_t link_words;       // of a row of the batches' links; 0: without them
    const struct vks_log *log; // borrowed during the call
};

// Starts at epoch 0, batch 0. Every pair comes once an epoch, or as often as the mixture says; the
// batches are a function of the text, the epoch and params alone.
// Errors: VKS_ERR_ARGUMENT for a token capacity of 0 and for a pair that does not fit in an empty
// batch, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status batcher_create(const struct batcher_params *params,
                                              struct batcher **batcher);
void batcher_destroy(struct batcher **batcher);

// Of a corpus.
uint32_t batcher_num_batches(struct batcher *batcher, uint64_t epoch);

// Batches of an epoch of a stream, and their target tokens, as the first pool of its text suggests;
// 0 for standard input. Errors: those of reading and encoding it; VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status batcher_estimate(const struct batcher_params *params,
                                                double *num_batches, double *num_tokens);

// Makes this batch of a part of an epoch the next; one past a part's last is the next part's first.
// A corpus has one part, 0, and a stream one for each pool. Batches that are borrowed stay so.
// False, and nothing changed, if the epoch of a corpus has fewer batches.
bool batcher_seek(struct batcher *batcher, uint64_t epoch, uint64_t pool_idx, uint64_t batch_idx);

// The next batch; after an epoch's last comes the next epoch's first. Borrowed until the next call
// but one: two may be in use at a time. NULL at the end of standard input, and when a stream has
// failed (batcher_status).
const struct batch *batcher_next(struct batcher *batcher);

// Why there is no batch: VKS_OK at the end of standard input. Errors: those of pool_reader_next.
VKS_MUST_CHECK enum vks_status batcher_status(struct batcher *batcher);

#endif
