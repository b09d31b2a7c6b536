#version 450
// Sums the gradients of a piece of the rows that hold the same token; a wave takes a piece.
#extension GL_GOOGLE_include_directive : require
#include "embedding_interface.h"
#define PUSH embedding_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"
#include "lib/dropout.glsl"

BIND_READ(1, uint, 4, sorted_rows);
BIND_READ(2, uvec2, 8, pieces); // first and number of sorted rows
BIND_MATRIX(3, dx);
BIND_MATRIX_WRITE(4, sums);

void main() {
    const uint num_pieces = header_dim(p.rows_dim);
    for (uint piece = gl_WorkGroupID.x; piece < num_pieces; piece += gl_NumWorkGroups.x) {
        const uvec2 rows = pieces.data[below(piece, num_pieces)];
        for (uint quad = lane; quad < p.quads; quad += WAVE) {
            vec4 sum = vec4(0);
            for (uint i = 0; i < rows.y; i++) {
                const uint row = sorted_rows.data[rows.x + below(i, rows.y)];
                const vec4 word = dropout_factors(p.word_threshold, p.word_scale, p.dropout_stream,
                                                  row, EMBEDDING_WORD_QUAD);
                const vec4 factors = dropout_factors(p.dropout_threshold, p.dropout_scale,
                                                     p.dropout_stream, row, quad);
                sum += LOAD4(dx, row * p.stride + quad) * (factors * word.x);
            }
            STORE4(sums, piece * p.stride + quad, sum);
        }
    }
}
