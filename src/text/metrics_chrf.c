#include "text/metrics_chrf.h"

#include "base/log.h"
#include "base/memory.h"

#include <stdlib.h>

// ASCII's punctuation.
static bool is_punctuation(uint32_t code) {
    return (code >= '!' && code <= '/') || (code >= ':' && code <= '@') ||
           (code >= '[' && code <= '`') || (code >= '{' && code <= '~');
}

// Splits words, and one punctuation mark off each longer one: the last, or else the first.
// words has room for text->num of them.
static size_t split_words(const struct codes *text, struct word *words) {
    size_t num_words = 0, at = 0;
    for (struct word word; word_next(text, &at, &word);) {
        bool is_last = word.num > 1 && is_punctuation(word.codes[word.num - 1]);
        bool is_first = word.num > 1 && !is_last && is_punctuation(word.codes[0]);
        size_t num_left = is_last ? word.num - 1 : is_first ? 1 : word.num;
        words[num_words++] = (struct word){word.codes, num_left};
        if (num_left < word.num)
            words[num_words++] = (struct word){word.codes + num_left, word.num - num_left};
    }
    return num_words;
}

static enum vks_status count_words(const struct codes *hypothesis, const struct codes *reference,
                                   struct ngram_counts *counts) {
    struct word *words = memory_calloc(hypothesis->num + reference->num + 1, sizeof *words);
    if (!words)
        return VKS_ERR_OOM;
    size_t num_hypothesis = split_words(hypothesis, words);
    size_t num_reference = split_words(reference, words + num_hypothesis);
    enum vks_status status =
        metrics_count_word_ngrams(words, num_hypothesis, num_reference, CHRF_WORD_ORDER, counts);
    free(words);
    return status;
}

// Copies the text without white space; returns how much that is.
static size_t copy_characters(const struct codes *text, uint32_t *symbols) {
    size_t num = 0;
    for (size_t i = 0; i < text->num; i++)
        if (!code_is_space(text->items[i]))
            symbols[num++] = text->items[i];
    return num;
}

static enum vks_status count_characters(const struct codes *hypothesis,
                                        const struct codes *reference,
                                        struct ngram_counts *counts) {
    uint32_t *symbols = memory_calloc(hypothesis->num + reference->num + 1, sizeof *symbols);
    if (!symbols)
        return VKS_ERR_OOM;
    size_t num_hypothesis = copy_characters(hypothesis, symbols);
    size_t num_reference = copy_characters(reference, symbols + num_hypothesis);
    enum vks_status status =
        metrics_count_ngrams(symbols, num_hypothesis, num_reference, CHRF_CHAR_ORDER, counts);
    free(symbols);
    return status;
}

enum vks_status chrf_add(const struct codes *hypothesis, const struct codes *reference,
                         struct chrf_sums *sums) {
    struct ngram_counts counts[CHRF_ORDER];
    TRY(count_characters(hypothesis, reference, counts));
    TRY(count_words(hypothesis, reference, counts + CHRF_CHAR_ORDER));
    for (int n = 0; n < CHRF_ORDER; n++) {
        struct ngram_counts *sum = &sums->orders[n];
        // N-grams that a short reference cannot have are not held against the hypothesis.
        if (counts[n].reference)
            sum->hypothesis += counts[n].hypothesis;
        sum->reference += counts[n].reference;
        sum->matches += counts[n].matches;
    }
    return VKS_OK;
}

double chrf_score(const struct chrf_sums *sums, bool with_words) {
    const double beta_squared = 4;
    double precision = 0, recall = 0;
    int num_orders = 0;
    for (int n = 0; n < (with_words ? CHRF_ORDER : CHRF_CHAR_ORDER); n++) {
        const struct ngram_counts *sum = &sums->orders[n];
        if (!sum->hypothesis || !sum->reference)
            continue;
        precision += (double)sum->matches / (double)sum->hypothesis;
        recall += (double)sum->matches / (double)sum->reference;
        num_orders++;
    }
    if (precision + recall <= 0)
        return 0;
    precision /= num_orders;
    recall /= num_orders;
    return 100 * (1 + beta_squared) * precision * recall / (beta_squared * precision + recall);
}
