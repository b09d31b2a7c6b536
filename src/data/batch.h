// A packed mini-batch: sequences laid end to end, without padding.
#ifndef DATA_BATCH_H
#define DATA_BATCH_H

#include "vkseq/base.h"

struct batch_capacity {
    uint32_t num_sequences, num_src_tokens, num_tgt_tokens;
};

// A corpus, and a line of it from 1 on.
struct pair_place {
    uint32_t set_idx, line;
};

// B sequence pairs with N_src and N_tgt tokens.
struct batch {
    uint32_t num_sequences;    // B
    uint32_t num_src, num_tgt; // N_src, N_tgt
    uint32_t *src;             // [N_src] source ids, each sequence ends with </s>
    uint32_t *tgt_in;          // [N_tgt] decoder input: the start id, then y_1 .. y_T
    uint32_t *tgt_out;         // [N_tgt] labels: y_1 .. y_T, </s>
    uint32_t *src_offsets;     // [B + 1] sequence i is [src_offsets[i], src_offsets[i + 1])
    uint32_t *tgt_offsets;     // [B + 1]
    float *weights;            // [N_tgt] of the labels; NULL: all weigh 1
    // [N_tgt, link_words] Bit s % 32 of word s / 32 links a label with source token s of its pair;
    // NULL without links.
    uint32_t *links;
    uint32_t link_words;
    // Set by the batcher:
    struct pair_place *places;           // [B] where the pairs stand
    uint64_t epoch, pool_idx, batch_idx; // which batch of which part of which epoch this is, from 0
    bool last_of_epoch;
    struct batch_capacity capacity;
};

// An empty batch. link_words: 0: without links. Errors: VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status batch_create(const struct batch_capacity *capacity,
                                            bool with_weights, uint32_t link_words,
                                            const struct vks_log *log, struct batch **batch);
void batch_destroy(struct batch **batch);
// Removes all sequences; the capacity stays.
void batch_clear(struct batch *batch);

// Appends a pair: src and tgt end with </s>, start_id begins the decoder's input; weights and links
// are the caller's to write. False, and the batch untouched, if it does not fit.
bool batch_add_pair(struct batch *batch, const uint32_t *src, uint32_t num_src, const uint32_t *tgt,
                    uint32_t num_tgt, uint32_t start_id);

// Puts the pairs of `batch` from `first` on, as many as fit, into `part`, which is emptied before
// and has weights and links as `batch` has. Returns the pair that comes next; `first` itself if not
// even that one fits.
uint32_t batch_take_part(const struct batch *batch, uint32_t first, struct batch *part);

#endif
