// BLEU of a corpus, line by line.
#ifndef TEXT_METRICS_BLEU_H
#define TEXT_METRICS_BLEU_H

#include "text/codes.h"
#include "vkseq/metrics.h"

enum { BLEU_ORDER = 4 };

// Sums over lines. Zero-initialised is an empty corpus.
struct bleu_sums {
    uint64_t matches[BLEU_ORDER], totals[BLEU_ORDER];
    uint64_t hypothesis_words, reference_words;
};

// Adds a line, whose texts are rewritten. Errors: VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status bleu_add(enum vks_bleu_tokenize tokenize, struct codes *hypothesis,
                                        struct codes *reference, struct bleu_sums *sums);

// Sets the members of scores that belong to BLEU.
void bleu_score(const struct bleu_sums *sums, struct vks_metric_scores *scores);

#endif
