// N-grams that a hypothesis shares with its reference.
#ifndef TEXT_METRICS_NGRAMS_H
#define TEXT_METRICS_NGRAMS_H

#include "text/codes.h"

struct ngram_counts {
    uint64_t hypothesis, reference; // n-grams in each
    uint64_t matches;               // n-grams of the hypothesis that the reference has as often
};

// The counts of orders 1 to max_order.
//   symbols  [num_hypothesis + num_reference]  one text after the other
//   counts   [max_order]                       overwritten
// Errors: VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status metrics_count_ngrams(const uint32_t *symbols, size_t num_hypothesis,
                                                    size_t num_reference, size_t max_order,
                                                    struct ngram_counts *counts);

// The same for words. Errors: VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status metrics_count_word_ngrams(const struct word *words,
                                                         size_t num_hypothesis,
                                                         size_t num_reference, size_t max_order,
                                                         struct ngram_counts *counts);

#endif
