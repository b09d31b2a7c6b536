#version 450
// Rows for the next step: those of hypotheses without gaps, in order, then those that are idle. A
// wave takes a hypothesis, or what would be one. A hypothesis refers to the cache rows of those it
// continues, and adds its own.
#extension GL_GOOGLE_include_directive : require
#include "beam_interface.h"
#define PUSH beam_rows_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

BIND_UPDATE(1, uint, 4, beams);
BIND_READ(2, uint, 4, sentences);
BIND_READ(3, uint, 4, cache_rows);
BIND_WRITE(4, uint, 4, next_cache_rows);
BIND_WRITE(5, uint, 4, rows);

void write_row(uint row, uint section, uint word) {
    rows.data[section * p.section + row] = word;
}

void write_range(uint row, uint section, uvec4 range) {
    for (uint i = 0; i < 4; i++)
        rows.data[section * p.section + 4 * row + i] = range[i];
}

void main() {
    const uint num_sentences = header_dim(p.sentences_dim),
               keys = gl_WorkGroupID.x * SENTENCE_WORDS;
    const uint sentence = gl_WorkGroupID.x, i = gl_WorkGroupID.y;
    // Whole numbers under 2^24, which floats hold.
    float num_before = 0.0, num_alive = 0.0;
    for (uint j = lane; j < num_sentences; j += WAVE) {
        const float alive = float(beams.data[j * p.beam_stride + BEAM_ALIVE]);
        num_alive += alive;
        num_before += j < sentence ? alive : 0.0;
    }
    const uint before = uint(wave_sum(num_before)), total = uint(wave_sum(num_alive));
    const uint base = sentence * p.beam_stride, lists = base + BEAM_HEAD;
    const uint alive = beams.data[base + BEAM_ALIVE];
    const bool is_idle = i >= alive;
    const uint row = is_idle ? total + sentence * p.k - before + i - alive : before + i;
    const uint step = min(beams.data[base + BEAM_STEP], p.num_steps - 1);
    const uint place =
        is_idle ? BEAM_NO_PLACE : sentences.data[keys + SENTENCE_FIRST_PLACE] + step * p.k + i;
    const uint token = is_idle ? p.start_token : beams.data[lists + BEAM_LIST_TOKEN * p.k + i];
    const uint parent = beams.data[lists + BEAM_LIST_PARENT * p.k + i];
    if (lane == 0) {
        // The draws of the step that is to come.
        const uint draw = beams.data[lists + (BEAM_LIST_DRAW + (step & 1)) * p.k + i];
        write_row(row, ROWS_TOKEN, token);
        write_row(row, ROWS_POSITION, p.position_offset + (is_idle ? 0 : step));
        write_row(row, ROWS_PLACE, place);
        write_range(row, ROWS_SELF, uvec4(0, 0, 0, is_idle ? 0 : step + 1));
        write_range(row, ROWS_CROSS,
                    uvec4(sentence, draw, is_idle ? 0 : sentences.data[keys + SENTENCE_FIRST_KEY],
                          is_idle ? 0 : sentences.data[keys + SENTENCE_END_KEY]));
        if (i == 0)
            beams.data[base + BEAM_FIRST_ROW] = before;
    }
    if (is_idle)
        return;
    if (lane == 0) {
        write_row(place, ROWS_HISTORY, token);
        next_cache_rows.data[row * p.cache_stride + step] = place;
    }
    for (uint t = lane; t < step; t += WAVE)
        next_cache_rows.data[row * p.cache_stride + t] =
            cache_rows.data[parent * p.cache_stride + t];
}
