// Pairs sorted by random keys, more of them than memory holds: they are dealt into buckets by their
// keys, into a file, and a bucket at a time comes back into memory. The order follows from the keys
// alone, and so neither from the memory nor from the number of buckets.
#ifndef DATA_SHUFFLE_H
#define DATA_SHUFFLE_H

#include "data/text_pairs.h"

struct shuffle;

struct shuffle_params {
    uint64_t num_bytes;    // about, of all pairs that will be added (text_pair_bytes)
    uint64_t memory_bytes; // to get along with; 0: as much as is needed
    const char *folder;    // for the file, with memory_bytes; borrowed while the shuffle lives
    const struct vks_log *log;
};

// Errors: VKS_ERR_IO, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status shuffle_create(const struct shuffle_params *params,
                                              struct shuffle **shuffle);
void shuffle_destroy(struct shuffle **shuffle);

// Adds a pair, which is copied. Pairs with the same key come by set and line.
// Errors: VKS_ERR_IO, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status shuffle_add(struct shuffle *shuffle, uint64_t key,
                                           const struct text_pair *pair);
// Ends adding, and goes to the pair that has skip ones before it.
// Errors: VKS_ERR_IO, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status shuffle_begin(struct shuffle *shuffle, uint64_t skip);
// The next pair, borrowed until the next call; *is_found is false behind the last one.
// Errors: VKS_ERR_IO, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status shuffle_next(struct shuffle *shuffle, struct text_pair *pair,
                                            bool *is_found);

#endif
