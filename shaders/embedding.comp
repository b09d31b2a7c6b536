#version 450
// x = dropout(word * scale * table[token] + positions[position]), with one factor of dropout for a
// word; a wave takes a row. Rows whose token or
// position is not in the bound stretches of the tables are another dispatch's.
// Source: Vaswani et al. 2017, arXiv:1706.03762, sections 3.4 and 3.5.
#extension GL_GOOGLE_include_directive : require
#include "embedding_interface.h"
#define PUSH embedding_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"
#include "lib/dropout.glsl"

BIND_READ(1, uint, 4, tokens);
BIND_READ(2, uint, 4, positions);
BIND_MATRIX(3, table);
BIND_MATRIX(4, position_table);
BIND_MATRIX_WRITE(5, x);

void main() {
    const uint rows = header_dim(p.rows_dim);
    for (uint row = gl_WorkGroupID.x; row < rows; row += gl_NumWorkGroups.x) {
        const uint token = tokens.data[below(row, rows)] - p.first_token;
        const uint position = positions.data[below(row, rows)] - p.first_position;
        if (token >= p.num_tokens || position >= p.num_positions)
            continue;
        const vec4 word = dropout_factors(p.word_threshold, p.word_scale, p.dropout_stream, row,
                                          EMBEDDING_WORD_QUAD);
        for (uint quad = lane; quad < p.quads; quad += WAVE) {
            const vec4 value = fma(LOAD4(table, token * p.stride + quad), vec4(p.scale * word.x),
                                   LOAD4(position_table, position * p.stride + quad));
            STORE4(x, row * p.stride + quad,
                   value * dropout_factors(p.dropout_threshold, p.dropout_scale, p.dropout_stream,
                                           row, quad));
        }
    }
}
