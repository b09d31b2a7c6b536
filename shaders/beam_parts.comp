#version 450
// What one of several models says of the tokens that a step has chosen: their log probabilities. A
// wave takes a sentence; tokens whose row is not in the bound stretch of logits are another
// dispatch's.
#extension GL_GOOGLE_include_directive : require
#include "beam_interface.h"
#define PUSH beam_parts_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

BIND_READ(1, uint, 4, events);
BIND_READ(2, uint, 4, beams);
BIND_READ(3, float, 4, logits);
BIND_READ(4, float, 4, log_sums);
BIND_WRITE(5, float, 4, parts);

void main() {
    const uint base = gl_WorkGroupID.x * p.event_stride;
    const uint num_events = events.data[base + EVENTS_NUM];
    const uint first_row = beams.data[gl_WorkGroupID.x * p.beam_stride + BEAM_FIRST_ROW];
    for (uint i = lane; i < p.parts_stride; i += WAVE) {
        const uint event = base + EVENTS_HEAD + EVENT_WORDS * i;
        const bool is_event = i < num_events && events.data[event + EVENT_TOKEN] != BEAM_NO_TOKEN;
        float part = 0.0;
        if (is_event) {
            const uint row = first_row + events.data[event + EVENT_PARENT];
            if (row - p.first_row >= p.num_rows)
                continue;
            part = logits.data[(row - p.first_row) * p.stride + events.data[event + EVENT_TOKEN]] -
                   log_sums.data[row];
        } else if (p.first_row != 0) {
            continue;
        }
        parts.data[gl_WorkGroupID.x * p.parts_stride + i] = part;
    }
}
