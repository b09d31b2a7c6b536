#version 450
// Adds a token's pieces to the gradient of its embedding; a wave takes a token. Tokens outside the
// bound stretch of the table are another dispatch's.
#extension GL_GOOGLE_include_directive : require
#include "embedding_interface.h"
#define PUSH embedding_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

BIND_READ(1, uvec4, 16, segments); // token, first piece, number of pieces
BIND_MATRIX(2, sums);
BIND_MATRIX_UPDATE(3, dtable);

void main() {
    const uint num_segments = header_dim(p.rows_dim);
    for (uint i = gl_WorkGroupID.x; i < num_segments; i += gl_NumWorkGroups.x) {
        const uvec4 segment = segments.data[below(i, num_segments)];
        const uint token = segment.x - p.first_token;
        if (token >= p.num_tokens)
            continue;
        for (uint quad = lane; quad < p.quads; quad += WAVE) {
            vec4 sum = vec4(0);
            for (uint piece = segment.y; piece < segment.y + segment.z; piece++)
                sum += LOAD4(sums, piece * p.stride + quad);
            const uint idx = token * p.stride + quad;
            STORE4(dtable, idx, fma(sum, vec4(p.scale), LOAD4(dtable, idx)));
        }
    }
}
