// What a training needs to go on as if it had not been interrupted, and its checkpoints.
#ifndef TRAIN_TRAINING_STATE_H
#define TRAIN_TRAINING_STATE_H

#include "model/weights.h"
#include "train/schedule.h"
#include "train/updater.h"
#include "train/valid_metrics.h"

struct training_state {
    uint64_t epoch, pool_idx, batch_idx; // the next batch, all 0-based
    uint64_t steps;                      // batches trained on so far: dropout's counter
    uint64_t target_tokens;              // of them
    uint64_t sentences_in_epoch;
    uint64_t rounds;  // updates made of them, skipped ones included
    uint64_t updates; // applied
    // Batches and their target words that are in the gradients and wait for others.
    uint32_t num_delayed;
    uint64_t delayed_words;
    uint32_t seed, warmup, schedule;
    uint64_t schedule_updates;
    struct rate_decay decay;
    struct valid_metrics metrics;
    uint32_t device_words[STATE_WORDS];
    // The batches follow from these: a resumed training must have the same.
    uint32_t mini_batch_words, mini_batch, maxi_batch_pairs, max_length;
    uint32_t mini_batch_fit; // whether mini_batch_words was found, not given
    uint32_t is_streamed, shuffle, maxi_batch_sort;
    uint64_t num_pairs, data_hash;
    // What lies beside the weights follows from these.
    uint32_t optimizer, precision;
    uint64_t num_frozen; // values
};

// Writes a new generation under `root`: weights, moments, averages, within a delayed update
// gradients, and state, switched in by one rename.
enum vks_status training_state_save(const struct training_state *state, struct weights *weights,
                                    const char *root, uint32_t keep_last,
                                    const struct vks_log *log);

// Reads the state of the newest generation that is whole; *dir is its folder, owned by the caller
// (free). Without any generation *dir is "", and the state not touched. Errors: VKS_ERR_FORMAT,
// VKS_ERR_IO, VKS_ERR_OOM.
enum vks_status training_state_find(const char *root, const struct vks_log *log,
                                    struct training_state *state, char **dir);

// Reads what lies beside the state: weights, and those of their other parts that are allocated.
// Averages that are not there begin as the weights. Errors: VKS_ERR_FORMAT, VKS_ERR_SHAPE (another
// model's), VKS_ERR_IO, VKS_ERR_OOM.
enum vks_status training_state_read_weights(const struct training_state *state, const char *dir,
                                            const struct vks_log *log, struct weights *weights);

#endif
