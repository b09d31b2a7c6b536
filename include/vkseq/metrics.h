// How close translations are to references: BLEU and chrF, with sacreBLEU's figures.
#ifndef VKSEQ_METRICS_H
#define VKSEQ_METRICS_H

#include "vkseq/base.h"

#ifdef __cplusplus
extern "C" {
#endif

// How BLEU cuts a line into words; the names are sacreBLEU's.
enum vks_bleu_tokenize {
    VKS_BLEU_13A,  // "13a": languages that write blanks between words
    VKS_BLEU_INTL, // "intl": the same, with Unicode's punctuation and symbols
    VKS_BLEU_ZH,   // "zh": Chinese, a character a word
    VKS_BLEU_CHAR, // "char": any language, a character a word
};

enum vks_metric { VKS_METRIC_BLEU, VKS_METRIC_CHRF, VKS_METRIC_CHRF_PP };

struct vks_metric_scores {
    double bleu;            // 0 to 100
    double precisions[4];   // of 1-grams to 4-grams, 0 to 100, smoothed
    double brevity_penalty; // 0 to 1
    uint64_t hypothesis_words, reference_words;
    double chrf, chrf_pp; // 0 to 100
};

// Scores of a corpus, one reference a line, case kept. BLEU has 4 orders and exponential smoothing;
// chrF 6 orders of characters without blanks and beta 2; chrF++ 2 orders of words as well.
// hypotheses, references: [num_lines], UTF-8; malformed bytes count as U+FFFD. num_lines > 0.
// Errors: VKS_ERR_ARGUMENT if there is no line or one is longer than 1 GiB, VKS_ERR_OOM.
// Sources: Papineni et al. 2002; Chen and Cherry 2014, section 3, technique 3; Popovic 2015, 2017;
// Post 2018, arXiv:1804.08771.
VKS_API VKS_MUST_CHECK enum vks_status
vks_metrics_corpus(const char *const *hypotheses, const char *const *references, size_t num_lines,
                   enum vks_bleu_tokenize tokenize, struct vks_metric_scores *scores);

// Errors: VKS_ERR_ARGUMENT if no tokenisation has the name.
VKS_API VKS_MUST_CHECK enum vks_status
vks_bleu_tokenize_from_name(const char *name, enum vks_bleu_tokenize *tokenize);

// What a score was computed with, in sacreBLEU's form:
// "nrefs:1|case:mixed|...|version:vkseq-0.1.0". tokenize matters for BLEU alone. A constant string.
VKS_API const char *vks_metrics_signature(enum vks_metric metric, enum vks_bleu_tokenize tokenize);

#ifdef __cplusplus
}
#endif
#endif
