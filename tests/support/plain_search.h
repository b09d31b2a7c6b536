// Beam search as one would write it on paper: whole prefixes, every token of each, sorted. It takes
// a search's own log probabilities, and follows it hypothesis by hypothesis.
#ifndef TESTS_PLAIN_SEARCH_H
#define TESTS_PLAIN_SEARCH_H

#include "decode/search.h"

enum { PLAIN_MAX_STEPS = 64, PLAIN_MAX_BEAM = 12 };

struct plain_prefix {
    uint32_t ids[PLAIN_MAX_STEPS]; // </s> left out
    uint32_t num, length;          // length: </s> included
    float log_prob, score;
};

struct plain_sentence {
    struct plain_prefix alive[PLAIN_MAX_BEAM], ended[PLAIN_MAX_BEAM + 1];
    uint32_t num_alive, num_ended; // ended: the best K, best first
    uint32_t num_counted;          // of all that have ended
    uint32_t max_steps, num_steps;
};

struct plain_search {
    const struct search *search; // borrowed
    const struct sentence *sources;
    const struct token_list *suppressed; // [num_suppressed]: the search's; set after init
    uint32_t num_suppressed;
    struct plain_sentence *sentences; // [num]; owned
    struct search_observer observer;
};

// To be observed by `search`, whose decoder must not have programs yet. Releases with
// plain_search_finish.
void plain_search_init(struct search *search, const struct sentence *sources, uint32_t num,
                       struct plain_search *plain);
void plain_search_finish(struct plain_search *plain);

// Fails the test unless the translation has the same hypotheses, with the same bits of figures.
void plain_search_check(const struct plain_search *plain, uint32_t sentence_idx,
                        const struct vks_translation *translation);

#endif
