// Token and position embedding.
#ifndef OPS_EMBEDDING_H
#define OPS_EMBEDDING_H

#include "embedding_interface.h"
#include "graph/graph.h"

// The rows of a batch grouped by what they hold, as the host lists them for every batch, so that a
// table's gradient is a segmented sum in a fixed order. Tokens whose embedding is frozen are left
// out.
struct embedding_segments {
    struct tensor *sorted_rows; // u32 [N, 1]: rows, grouped
    struct tensor *pieces;      // u32 [pieces, 2]: first sorted row, rows (EMBEDDING_PIECE_ROWS)
    struct tensor *segments;    // u32 [segments, 4]: token, first piece, pieces
};

struct embedding_params {
    struct tensor *tokens;         // u32 [N, 1]
    struct tensor *positions;      // u32 [N, 1]
    struct tensor *table;          // f32 [V, D]
    struct tensor *position_table; // f32 [P, D]; sinusoidal or learned
    float scale;                   // of the table's rows
    float dropout;
    float word_dropout;                    // of a token's row in the table as a whole
    struct embedding_segments by_token;    // may be zero without gradients
    struct embedding_segments by_position; // for learned positions only
};

// x = dropout(word scale table[token] + position_table[position]), f32 [N, D]; D is a multiple of
// 4, and word a token's factor of word_dropout: 0, or 1 / (1 - word_dropout). NULL when the graph
// fails (VKS_ERR_SHAPE). Ids are not checked: the host does. Source: Vaswani et al. 2017,
// arXiv:1706.03762, sections 3.4, 3.5 and 5.4; Gal and Ghahramani 2016, arXiv:1512.05287,
// section 4.2 (dropout of words; here of each token, as Sennrich et al. 2016, arXiv:1606.02891,
// section 2.3).
struct tensor *op_embedding(struct graph *graph, const struct embedding_params *params);

#endif
