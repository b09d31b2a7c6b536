// A search on the device: what is known of sentences and rows between steps. Read by C and GLSL.
#ifndef SHADERS_BEAM_INTERFACE_H
#define SHADERS_BEAM_INTERFACE_H

#include "lib/shared.h"

// What the host says of a sentence: 32-bit words.
#define SENTENCE_FIRST_KEY 0 // rows of the memory
#define SENTENCE_END_KEY 1
#define SENTENCE_MAX_STEPS 2
#define SENTENCE_HASH 3   // of its tokens, two words
#define SENTENCE_PREFIX 5 // where its forced tokens lie in the table of words
#define SENTENCE_PREFIX_LENGTH 6
#define SENTENCE_FIRST_PLACE 7 // rows of the cache: K for each of its steps
#define SENTENCE_IS_NEW 8      // beam_begin begins its search; else it goes on
#define SENTENCE_SET 9         // where the set of its tokens lies in the table of words
#define SENTENCE_WORDS 12

// What the device keeps of a sentence: single words, then lists of K words.
#define BEAM_ALIVE 0 // hypotheses that go on
#define BEAM_ENDED 1 // hypotheses that ended with </s>, in all steps
#define BEAM_STEP 2  // steps done
#define BEAM_FIRST_ROW 3
#define BEAM_HEAD 4
#define BEAM_LIST_SUM 0    // log probabilities, of even steps and of odd ones
#define BEAM_LIST_DRAW 2   // which of the hypotheses that began: names the draws of sampling
#define BEAM_LIST_TOKEN 4  // the last token
#define BEAM_LIST_PARENT 5 // row of the hypothesis that it continues
#define BEAM_LIST_SCORE 6  // of those that ended, best first
#define BEAM_NUM_LISTS 7

// Sections of the table of rows, in multiples of a section's words.
#define ROWS_TOKEN 0
#define ROWS_POSITION 1
#define ROWS_PLACE 2 // row of the cache that the step's keys and values go to, or BEAM_NO_PLACE
#define ROWS_SELF 3  // 4 words: -, -, 0, keys so far with this step's; none in a row that is idle
#define ROWS_CROSS 7 // 4 words: sentence, hypothesis among the sentence's, first key, end of keys
#define ROWS_HISTORY 11 // the token of every row of the cache

#define BEAM_NO_PLACE 0xffffffffu // of a row that is idle

// What a step did to a sentence: single words, then events.
#define EVENTS_NUM 0
#define EVENTS_ALIVE 1 // hypotheses that go on
#define EVENTS_OUTCOME 2
#define EVENTS_HEAD 4
// An event: a token and the hypothesis that it continues, the sum with it, and its own part. It
// ends the hypothesis when the token is </s>, or BEAM_NO_TOKEN: then nothing may follow.
#define EVENT_TOKEN 0
#define EVENT_PARENT 1
#define EVENT_SUM 2
#define EVENT_LOG_PROB 3
#define EVENT_WORDS 4
#define BEAM_NO_TOKEN 0xffffffffu

#define OUTCOME_GOES_ON 0
#define OUTCOME_OUT_OF_STEPS 1 // what is alive has ended
#define OUTCOME_STOPPED 2      // what is alive cannot become better than what has ended
#define OUTCOME_DIVERGED 3     // probabilities are not finite

// Which hypotheses go on, and when a sentence is done.
#define BEAM_SPEC_RULE 1
#define BEAM_RULE_MARIAN 0
#define BEAM_RULE_HF 1
#define BEAM_RULE_EXACT 2
#define BEAM_RULE_APART 3 // every hypothesis by itself
#define BEAM_RULE_HF_EARLY 4

// Strides are in words.
struct beam_push {
    SHARED_UINT k; // K
    SHARED_UINT beam_stride, event_stride;
    SHARED_UINT eos;
    SHARED_UINT best_stride, num_stretches, best_k;
    SHARED_UINT n_best;
    SHARED_UINT branches; // BEAM_RULE_APART: the step after the forced tokens makes K of one
};

struct beam_rows_push {
    SHARED_UINT sentences_dim;
    SHARED_UINT k;
    SHARED_UINT beam_stride;
    SHARED_UINT start_alive, start_token; // of the hypotheses to begin with
    SHARED_UINT section;
    SHARED_UINT cache_stride, num_steps;
    SHARED_UINT position_offset;
};

struct beam_parts_push {
    SHARED_UINT event_stride, beam_stride, parts_stride;
    SHARED_UINT first_row, num_rows; // that are bound of the logits
    SHARED_UINT stride;
};

#endif
