// A search on the device: between two steps of decoding, which hypotheses go on and what the next
// step's rows are. shaders/beam_interface.h says how tables are laid out.
#ifndef OPS_BEAM_SEARCH_H
#define OPS_BEAM_SEARCH_H

#include "ops/beam_tables.h"

// Which hypotheses a search keeps.
struct beam_rule {
    uint32_t rule; // BEAM_RULE_...
    uint32_t k;    // K
    uint32_t n_best;
    uint32_t start_alive; // hypotheses of a sentence before the first step
    uint32_t start_token, eos_id, position_offset;
    bool branches; // BEAM_RULE_APART: the first token that is not forced makes K hypotheses of one
};

// 32-bit words of a sentence's beam and of its events.
uint32_t beam_words(uint32_t k);
uint32_t beam_event_words(uint32_t k);
// Words of a section of the table of rows, and of all of it.
uint32_t beam_section_words(uint32_t num_rows);
uint64_t beam_rows_words(uint32_t num_rows, uint32_t num_cache_rows);

// Begins the search of sentences that are new (SENTENCE_IS_NEW), and makes the hypotheses of others
// their own parents: op_beam_advance then gives rows to all of them together.
void op_beam_begin(struct graph *graph, const struct beam_rule *rule,
                   const struct beam_tables *tables);

struct beam_select_params {
    const struct beam_rule *rule;
    const struct beam_tables *tables;
    struct tensor *best;     // u32 [R, pairs]: of op_top_k or op_sample
    uint32_t best_k;         // pairs a stretch
    struct tensor *log_sums; // f32 [R, 1]: taken from logits
    struct tensor *lengths;  // f32 [T + 1, 2]: by tokens, what is subtracted from a sum, and what
                             // the difference is multiplied with, for a score
    struct tensor *heads;    // u32 [R, stretches], to work in
};

// Chooses from the best tokens of every row. Returns an output, u32 [B, beam_event_words].
struct tensor *op_beam_select(struct graph *graph, const struct beam_select_params *params);

// Of an ensemble: what one model, by its logits f32 [R, V] and log sums f32 [R, 1], says of the
// tokens that op_beam_select has given as events. An output, f32 [B, 2 K], in the order of events;
// to be added before op_beam_advance.
struct tensor *op_beam_parts(struct graph *graph, const struct beam_rule *rule,
                             const struct beam_tables *tables, struct tensor *events,
                             struct tensor *logits, struct tensor *log_sums);

// Gives rows to the hypotheses that go on.
void op_beam_advance(struct graph *graph, const struct beam_rule *rule,
                     const struct beam_tables *tables);

#endif
