#version 450
// Changes the logits of tokens that are not in the set of the row's sentence to BANNED. A wave
// takes a row.
#extension GL_GOOGLE_include_directive : require
#include "allow_interface.h"
#define PUSH allow_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

BIND_WRITE(1, float, 4, logits);
BIND_READ(2, uint, 4, rows);
BIND_READ(3, uint, 4, sentences);
BIND_READ(4, uint, 4, words);

const float BANNED = -3.4e38; // lower than what top_k takes

void main() {
    const uint search_row = p.first_row + gl_WorkGroupID.x, base = gl_WorkGroupID.x * p.stride;
    if (rows.data[ROWS_SELF * p.section + 4 * search_row + 3] == 0)
        return;
    const uint sentence = rows.data[ROWS_CROSS * p.section + 4 * search_row] * SENTENCE_WORDS;
    const uint set = sentences.data[sentence + SENTENCE_SET];
    for (uint token = lane; token < p.vocab; token += WAVE)
        if ((words.data[set + token / 32] >> token % 32 & 1) == 0)
            logits.data[base + token] = BANNED;
}
