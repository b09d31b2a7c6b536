// chrF and chrF++ of a corpus, line by line.
#ifndef TEXT_METRICS_CHRF_H
#define TEXT_METRICS_CHRF_H

#include "text/metrics_ngrams.h"

enum { CHRF_CHAR_ORDER = 6, CHRF_WORD_ORDER = 2, CHRF_ORDER = CHRF_CHAR_ORDER + CHRF_WORD_ORDER };

// Sums over lines: orders of characters, then of words. Zero-initialised is an empty corpus.
struct chrf_sums {
    struct ngram_counts orders[CHRF_ORDER];
};

// Adds a line. Errors: VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status chrf_add(const struct codes *hypothesis,
                                        const struct codes *reference, struct chrf_sums *sums);

// chrF, or chrF++ if with_words; 0 to 100.
double chrf_score(const struct chrf_sums *sums, bool with_words);

#endif
