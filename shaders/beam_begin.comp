#version 450
// Hypotheses without tokens, for a step of beam_advance to give rows to. Those of sentences that
// are not new continue themselves. A wave takes a sentence.
#extension GL_GOOGLE_include_directive : require
#include "beam_interface.h"
#define PUSH beam_rows_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

BIND_UPDATE(1, uint, 4, beams);
BIND_READ(2, uint, 4, sentences);

void main() {
    const uint base = gl_WorkGroupID.x * p.beam_stride, lists = base + BEAM_HEAD;
    if (sentences.data[gl_WorkGroupID.x * SENTENCE_WORDS + SENTENCE_IS_NEW] == 0) {
        for (uint i = lane; i < p.k; i += WAVE)
            beams.data[lists + BEAM_LIST_PARENT * p.k + i] = beams.data[base + BEAM_FIRST_ROW] + i;
        return;
    }
    if (lane == 0) {
        beams.data[base + BEAM_ALIVE] = p.start_alive;
        beams.data[base + BEAM_ENDED] = 0;
        beams.data[base + BEAM_STEP] = 0;
        beams.data[base + BEAM_FIRST_ROW] = 0;
    }
    for (uint i = lane; i < p.k; i += WAVE) {
        beams.data[lists + BEAM_LIST_SUM * p.k + i] = floatBitsToUint(0.0);
        beams.data[lists + BEAM_LIST_DRAW * p.k + i] = i;
        beams.data[lists + BEAM_LIST_TOKEN * p.k + i] = p.start_token;
        beams.data[lists + BEAM_LIST_PARENT * p.k + i] = 0;
    }
}
