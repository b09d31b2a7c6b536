// The tables of a search on the device, which several operators read. shaders/beam_interface.h says
// how they are laid out.
#ifndef OPS_BEAM_TABLES_H
#define OPS_BEAM_TABLES_H

#include "beam_interface.h"
#include "graph/graph.h"

// What the search is about, for B sentences and R = B K rows; stored.
struct beam_tables {
    struct dim sentences;
    struct tensor *of_sentences;                 // u32 [B, SENTENCE_WORDS]
    struct tensor *beams;                        // u32 [B, beam_words]
    struct tensor *cache_rows, *next_cache_rows; // u32 [R, T]
    // Sections of one table, ROWS_...; `rows` is all of it, u32 [words, 1].
    struct tensor *rows;
    struct tensor *tokens, *positions, *places; // u32 [R, 1]
    struct tensor *self_ranges, *cross_ranges;  // u32 [R, 4]
    uint32_t section;                           // words
};

#endif
