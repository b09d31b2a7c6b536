// Embedding of tokens with positions. Read by C and GLSL.
#ifndef SHADERS_EMBEDDING_INTERFACE_H
#define SHADERS_EMBEDDING_INTERFACE_H

#include "lib/shared.h"

// Rows whose gradients one workgroup sums: longer segments are cut into pieces of this.
#define EMBEDDING_PIECE_ROWS 32

// The column of dropout's random numbers, in quads, that holds for a word as a whole.
#define EMBEDDING_WORD_QUAD 0xffffffffu

struct embedding_push {
    SHARED_UINT rows_dim;
    SHARED_UINT quads;  // width / 4
    SHARED_UINT stride; // in vec4, of every operand
    SHARED_FLOAT scale;
    SHARED_UINT dropout_threshold;
    SHARED_FLOAT dropout_scale;
    SHARED_UINT dropout_stream;
    // Of words: of a token's row in the table as a whole.
    SHARED_UINT word_threshold;
    SHARED_FLOAT word_scale;
    // The stretches of rows that are bound of the two tables, or of the gradient of one.
    SHARED_UINT first_token, num_tokens;
    SHARED_UINT first_position, num_positions;
};

#endif
