#include "text/metrics_ngrams.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

// An n-gram, as the rank of its first n - 1 symbols among those of its length, and its last one.
struct ngram {
    uint32_t prefix_rank, last;
    size_t position; // of its first symbol
};

static int compare_ngrams(const void *a, const void *b) {
    const struct ngram *x = a, *y = b;
    if (x->prefix_rank != y->prefix_rank)
        return x->prefix_rank < y->prefix_rank ? -1 : 1;
    return (x->last > y->last) - (x->last < y->last);
}

// Counts sorted n-grams, run of equal ones by run, and puts their ranks at their positions.
static struct ngram_counts count_runs(const struct ngram *ngrams, size_t num_ngrams,
                                      size_t num_hypothesis, uint32_t *ranks) {
    struct ngram_counts counts = {0};
    uint32_t rank = 0;
    for (size_t i = 0; i < num_ngrams; rank++) {
        uint64_t in_hypothesis = 0, in_reference = 0;
        size_t first = i;
        for (; i < num_ngrams && compare_ngrams(&ngrams[first], &ngrams[i]) == 0; i++) {
            ranks[ngrams[i].position] = rank;
            in_hypothesis += ngrams[i].position < num_hypothesis;
            in_reference += ngrams[i].position >= num_hypothesis;
        }
        counts.hypothesis += in_hypothesis;
        counts.reference += in_reference;
        counts.matches += in_hypothesis < in_reference ? in_hypothesis : in_reference;
    }
    return counts;
}

enum vks_status metrics_count_ngrams(const uint32_t *symbols, size_t num_hypothesis,
                                     size_t num_reference, size_t max_order,
                                     struct ngram_counts *counts) {
    size_t num_symbols = num_hypothesis + num_reference;
    struct ngram *ngrams = memory_calloc(num_symbols + 1, sizeof *ngrams);
    uint32_t *ranks = memory_calloc(num_symbols + 1, sizeof *ranks);
    enum vks_status status = ngrams && ranks ? VKS_OK : VKS_ERR_OOM;
    for (size_t order = 1; order <= max_order && status == VKS_OK; order++) {
        size_t num_ngrams = 0;
        for (size_t i = 0; i < num_symbols; i++) {
            size_t end = i < num_hypothesis ? num_hypothesis : num_symbols;
            if (i + order <= end)
                ngrams[num_ngrams++] = (struct ngram){ranks[i], symbols[i + order - 1], i};
        }
        qsort(ngrams, num_ngrams, sizeof *ngrams, compare_ngrams);
        counts[order - 1] = count_runs(ngrams, num_ngrams, num_hypothesis, ranks);
    }
    free(ngrams);
    free(ranks);
    return status;
}

struct indexed_word {
    struct word word;
    size_t position;
};

static int compare_words(const void *a, const void *b) {
    const struct word *x = &((const struct indexed_word *)a)->word;
    const struct word *y = &((const struct indexed_word *)b)->word;
    if (x->num != y->num)
        return x->num < y->num ? -1 : 1;
    return memcmp(x->codes, y->codes, x->num * sizeof *x->codes);
}

// Gives equal words equal symbols.
static void number_words(struct indexed_word *words, size_t num_words, uint32_t *symbols) {
    qsort(words, num_words, sizeof *words, compare_words);
    uint32_t symbol = 0;
    for (size_t i = 0; i < num_words; i++) {
        symbol += i > 0 && compare_words(&words[i - 1], &words[i]) != 0;
        symbols[words[i].position] = symbol;
    }
}

enum vks_status metrics_count_word_ngrams(const struct word *words, size_t num_hypothesis,
                                          size_t num_reference, size_t max_order,
                                          struct ngram_counts *counts) {
    size_t num_words = num_hypothesis + num_reference;
    struct indexed_word *indexed = memory_calloc(num_words + 1, sizeof *indexed);
    uint32_t *symbols = memory_calloc(num_words + 1, sizeof *symbols);
    enum vks_status status = VKS_ERR_OOM;
    if (indexed && symbols) {
        for (size_t i = 0; i < num_words; i++)
            indexed[i] = (struct indexed_word){words[i], i};
        number_words(indexed, num_words, symbols);
        status = metrics_count_ngrams(symbols, num_hypothesis, num_reference, max_order, counts);
    }
    free(indexed);
    free(symbols);
    return status;
}
