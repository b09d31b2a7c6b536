// Figures of a validation: which are better, the best so far, and when to stop for want of better.
#ifndef TRAIN_VALID_METRICS_H
#define TRAIN_VALID_METRICS_H

#include "vkseq/trainer.h"

enum { MAX_VALID_METRICS = 8, VALID_METRIC_NAME_BYTES = 32 };

struct valid_metric {
    char name[VALID_METRIC_NAME_BYTES];
    bool has_best;
    double best;
    uint64_t num_stalled; // validations since the best
};

struct valid_metrics {
    struct valid_metric items[MAX_VALID_METRICS];
    uint32_t num;
};

// What the trainer computes itself, over the whole validation set.
struct valid_costs {
    double sum; // cross-entropy in nats, without smoothing
    uint64_t num_tokens, num_sentences;
};

// Whether a smaller value is better: for the cross-entropies and the perplexity.
bool valid_metric_falls(const char *name);

// The value of "cross-entropy" (a sentence's mean), "ce-mean-words" (a word's) or "perplexity",
// Marian's names. False for any other.
bool valid_metric_of_costs(const char *name, const struct valid_costs *costs, double *value);

// Takes note of a value; true if it is better than the best by more than epsilon. A NaN never is.
bool valid_metric_note(struct valid_metric *metric, double value, double epsilon);

// How often validations in a row have brought no new best: of the first metric, of the one that has
// stalled least, or of the one that has most. Metrics without any figure do not count.
uint64_t valid_metrics_num_stalled(const struct valid_metrics *metrics,
                                   enum vks_early_stopping_on on);
// Whether that is `patience` times; never for patience 0.
bool valid_metrics_are_stalled(const struct valid_metrics *metrics, uint32_t patience,
                               enum vks_early_stopping_on on);

// Sets the wanted names, in order; what `metrics` knows about them stays. Errors:
// VKS_ERR_ARGUMENT for too many names or too long ones; logged.
enum vks_status valid_metrics_select(struct valid_metrics *metrics, const char *const *names,
                                     uint32_t num_names, const struct vks_log *log);

#endif
