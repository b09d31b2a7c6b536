#include "text/metrics_bleu.h"

#include "base/log.h"
#include "base/memory.h"
#include "text/metrics_ngrams.h"
#include "text/metrics_tokenize.h"

#include <math.h>
#include <stdlib.h>

// words has room for line->num of them.
static size_t split_words(const struct codes *line, struct word *words) {
    size_t num_words = 0, at = 0;
    while (word_next(line, &at, &words[num_words]))
        num_words++;
    return num_words;
}

enum vks_status bleu_add(enum vks_bleu_tokenize tokenize, struct codes *hypothesis,
                         struct codes *reference, struct bleu_sums *sums) {
    TRY(metrics_tokenize(tokenize, hypothesis));
    TRY(metrics_tokenize(tokenize, reference));
    struct word *words = memory_calloc(hypothesis->num + reference->num + 1, sizeof *words);
    if (!words)
        return VKS_ERR_OOM;
    size_t num_hypothesis = split_words(hypothesis, words);
    size_t num_reference = split_words(reference, words + num_hypothesis);
    struct ngram_counts counts[BLEU_ORDER];
    enum vks_status status =
        metrics_count_word_ngrams(words, num_hypothesis, num_reference, BLEU_ORDER, counts);
    free(words);
    TRY(status);
    for (int n = 0; n < BLEU_ORDER; n++) {
        sums->matches[n] += counts[n].matches;
        sums->totals[n] += counts[n].hypothesis;
    }
    sums->hypothesis_words += num_hypothesis;
    sums->reference_words += num_reference;
    return VKS_OK;
}

static double brevity_penalty(uint64_t hypothesis_words, uint64_t reference_words) {
    if (hypothesis_words >= reference_words)
        return 1;
    if (hypothesis_words == 0)
        return 0;
    return exp(1 - (double)reference_words / (double)hypothesis_words);
}

void bleu_score(const struct bleu_sums *sums, struct vks_metric_scores *scores) {
    scores->hypothesis_words = sums->hypothesis_words;
    scores->reference_words = sums->reference_words;
    scores->brevity_penalty = brevity_penalty(sums->hypothesis_words, sums->reference_words);
    scores->bleu = 0;
    for (int n = 0; n < BLEU_ORDER; n++)
        scores->precisions[n] = 0;
    if (sums->matches[0] == 0) // then no order has a match
        return;
    double smoothing = 1, sum_of_logs = 0;
    for (int n = 0; n < BLEU_ORDER; n++) {
        if (sums->totals[n] == 0) // every hypothesis is shorter than n + 1 words
            return;
        double matches = (double)sums->matches[n];
        if (sums->matches[n] == 0)
            matches = 1 / (smoothing *= 2);
        scores->precisions[n] = 100 * matches / (double)sums->totals[n];
        sum_of_logs += log(scores->precisions[n]);
    }
    scores->bleu = scores->brevity_penalty * exp(sum_of_logs / BLEU_ORDER);
}
