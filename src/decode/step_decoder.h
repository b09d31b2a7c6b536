// The device's part of decoding: encode a batch of sentences once, then step many times. What a
// step chooses stays on the device; the host only reads what happened, some steps later.
#ifndef DECODE_STEP_DECODER_H
#define DECODE_STEP_DECODER_H

#include "decode/beam.h"
#include "model/feed.h"
#include "model/half_weights.h"
#include "model/model_object.h"
#include "ops/beam_search.h"

// What a batch needs at most. Programs grow with what they are asked for.
struct step_capacity {
    uint32_t num_src, num_sentences;
    uint32_t num_steps;      // T
    uint32_t num_cache_rows; // places for a position of a hypothesis: B K T
    uint32_t num_positions;  // of the longest sentence or translation
    uint32_t num_words;      // tokens that sentences force, and their sets
    uint32_t has_prefixes;   // 1: sentences may force tokens
};

// Tokens that lie somewhere.
struct token_list {
    const uint32_t *ids; // [num_ids]; borrowed
    uint32_t num_ids;
};

// How tokens are chosen.
struct step_params {
    struct vks_model *const *models; // [num_models]; borrowed while the decoder lives
    const float *weights;            // of the models; NULL: 1 each
    uint32_t num_models;
    // [num_models], all of one precision; borrowed while the decoder lives. NULL: float32.
    struct half_weights *const *halves;
    struct beam_rule rule;
    float normalize, word_penalty;
    uint32_t min_length, no_repeat_ngram;
    float repetition_penalty;            // 0, 1: none
    uint32_t penalty_kind;               // PENALTY_OF_...
    const struct token_list *suppressed; // [num_suppressed], none empty
    uint32_t num_suppressed;
    const struct vks_shortlist *shortlist; // borrowed while the decoder lives; NULL: none
    bool predicts_pad;                     // <pad> may be chosen
    bool forces_first, forces_eos; // the first token is first_id, the last one </s>: at no cost
    uint32_t first_id;
    bool samples;
    uint32_t sample_from, sample_k; // SAMPLE_FROM_...
    float sample_mass, temperature;
    uint32_t seed;
    uint64_t cache_bytes; // of all layers' caches at most; 0: MAX_CACHE_BYTES
};

enum { STEP_MAX_MODELS = VKS_MAX_MODELS };

// One model's memory and programs.
struct step_model {
    struct vks_model *model;           // borrowed
    const struct half_weights *halves; // borrowed; NULL: float32
    float weight;
    struct program *encoder;
    struct batch_inputs batch;
    struct tensor *memory_places; // of the batch's source tokens
    uint32_t position_rows;       // of the model's table when programs were built
    struct vk_buffer self_caches[WEIGHTS_MAX_LAYERS], memory_kvs[WEIGHTS_MAX_LAYERS];
};

// Where the tables of a search lie in the buffer.
enum step_table {
    TABLE_SENTENCES,
    TABLE_WORDS,
    TABLE_BEAMS,
    TABLE_ROWS,
    TABLE_CACHE_ROWS,
    TABLE_NEXT_CACHE_ROWS,
    TABLE_HEADS,
    NUM_STEP_TABLES
};

struct step_decoder {
    struct step_params params; // without lists
    struct step_model models[STEP_MAX_MODELS];
    uint32_t *suppressed; // owned: how the table of words begins
    uint32_t num_suppressed_words;
    uint32_t num_set_words;        // of each sentence's set of tokens, after those it forces
    uint32_t best_k;               // best tokens of each row
    uint64_t cache_bytes;          // what they may take
    uint32_t max_cache_rows;       // what that and the device allow
    uint32_t num_slots;            // steps that the device may be given at once
    bool with_log_probs;           // tests: step_decoder_log_probs
    bool profile;                  // make the step's program for profiling
    struct step_capacity capacity; // of the programs; zero: there are none
    struct program *step;
    struct vk_buffer tables;
    struct vk_range ranges[NUM_STEP_TABLES];
    struct dim encoder_sentences, sentences, rows;
    struct tensor *sentences_in, *words_in; // of the first encoder
    struct tensor *lengths, *events, *logits, *log_sums;
    struct tensor *parts[STEP_MAX_MODELS]; // of events, by each model
    uint32_t num_parts;                    // 0: there is one model, without a weight
    uint32_t num_submitted, num_collected; // steps since the restart
    uint32_t num_admitted;                 // steps submitted before sentences were admitted last
    uint32_t num_table_rows;
};

// Builds nothing yet; to be finished also after a failure. Errors: VKS_ERR_OOM.
enum vks_status step_decoder_init(const struct step_params *params, struct step_decoder *decoder);
void step_decoder_finish(struct step_decoder *decoder);

// Builds programs that hold at least `needed`, unless they are there. num_cache_rows is at most
// max_cache_rows. Errors: as program_create, and then there are none.
enum vks_status step_decoder_reserve(struct step_decoder *decoder,
                                     const struct step_capacity *needed);

// A sentence, </s> included, and where it lies on the device: its row of the tables, and rows of
// the memory (num_ids), of the cache (max_steps K), and words (tokens it forces, its set), which
// are no one else's.
struct step_sentence {
    const uint32_t *ids;
    uint32_t num_ids;
    uint32_t max_steps;
    struct token_list prefix; // what the translation begins with, after first_id; under max_steps
    uint32_t slot, first_key, first_place, first_word;
};

// Gives up whatever is under way: no sentence is.
enum vks_status step_decoder_restart(struct step_decoder *decoder);

// Whether step_decoder_admit need not wait for the device.
bool step_decoder_can_admit(const struct step_decoder *decoder);

// Works out the memory of sentences and begins their search, in the places of such as are done;
// others go on. source: the same sentences. num_table_rows: rows of the tables that are in use or
// were, all below it.
enum vks_status step_decoder_admit(struct step_decoder *decoder, const struct packed *source,
                                   const struct step_sentence *sentences, uint32_t num_table_rows);

// Gives the device a step. num_rows: no fewer than hypotheses that are alive; those that may not be
// are numbered last. At most num_slots steps may be waiting to be collected.
enum vks_status step_decoder_submit(struct step_decoder *decoder, uint32_t num_rows);

// Waits for the oldest step that was not collected.
enum vks_status step_decoder_collect(struct step_decoder *decoder);
// What the step collected last did to a sentence: borrowed until the next one is given.
void step_decoder_events(const struct step_decoder *decoder, uint32_t sentence_idx,
                         struct beam_events *events);
uint32_t step_decoder_num_waiting(const struct step_decoder *decoder);

// Logits of the step collected last, before anything was banned, and their log sums: logit - log
// sum is what a token adds to a hypothesis. Rows are those of hypotheses that were alive, in order.
struct step_log_probs {
    const float *logits, *log_sums;
    uint32_t stride;
};

void step_decoder_log_probs(const struct step_decoder *decoder, struct step_log_probs *log_probs);

#endif
