// Embedding of tokens with positions. Read by C and GLSL.
#ifndef SHADERS_EMBEDDING_INTERFACE_H
#define SHADERS_EMBEDDING_INTERFACE_H

#include "lib/shared.h"

// Rows whose gradients one workgroup sums: longer segments are cut into pieces of this.
#define EMBEDDING_PIECE_ROWS 32

struct embedding_push {
    SHARED_UINT rows_dim;
    SHARED_UINT quads;  // width / 4
    SHARED_UINT stride; // in vec4, of every operand
    SHARED_FLOAT scale;
    SHARED_UINT dropout_threshold;
    SHARED_FLOAT dropout_scale;
    SHARED_UINT dropout_stream;
    // The stretches of rows that are bound of the two tables, or of the gradient of one.
    SHARED_UINT first_token, num_tokens;
    SHARED_UINT first_position, num_positions;
};

#endif
