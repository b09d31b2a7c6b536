#version 450
// Which hypotheses of a sentence go on, and which have ended. A wave takes a sentence.
//
// Candidates come best first by their sum of log probabilities; among equals, by hypothesis, then
// by logit, then by token. So a beam of one takes the highest logit, as greedy search does.
// Source: docs/decoding.md has the rules, and the papers they are from.
#extension GL_GOOGLE_include_directive : require
#include "beam_interface.h"
#define PUSH beam_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

layout(constant_id = BEAM_SPEC_RULE) const uint RULE = BEAM_RULE_MARIAN;

BIND_READ(1, uint, 4, best);
BIND_READ(2, float, 4, log_sums);
BIND_READ(3, uint, 4, sentences);
BIND_UPDATE(4, uint, 4, beams);
BIND_READ(5, vec2, 8, lengths); // by tokens: what is subtracted, and what is multiplied with
BIND_UPDATE(6, uint, 4, heads); // how far each list of candidates is used up
BIND_WRITE(7, uint, 4, events);

const float LOWEST = -3.0e38;
const uint NONE = 0xffffffffu;

uint base, lists, step, first_row, num_alive, num_events, num_next;
uint num_ended; // of all steps

uint list_word(uint list, uint i) {
    return lists + list * p.k + i;
}

#include "lib/beam_candidates.glsl"

void write_event(uint token, uint parent, float sum, float log_prob) {
    const uint event = gl_WorkGroupID.x * p.event_stride + EVENTS_HEAD + EVENT_WORDS * num_events;
    num_events++;
    if (lane != 0)
        return;
    events.data[event + EVENT_TOKEN] = token;
    events.data[event + EVENT_PARENT] = parent;
    events.data[event + EVENT_SUM] = floatBitsToUint(sum);
    events.data[event + EVENT_LOG_PROB] = floatBitsToUint(log_prob);
}

float score(float sum, uint num_tokens) {
    const vec2 length = lengths.data[num_tokens];
    precise float result = (sum - length.x) * length.y;
    return result;
}

// Keeps the scores of the best K, in order; what came first stays before its equals.
void add_score(float value) {
    if (lane == 0) {
        uint place = min(num_ended, p.k);
        for (; place > 0; place--) {
            const float before = uintBitsToFloat(beams.data[list_word(BEAM_LIST_SCORE, place - 1)]);
            if (before >= value)
                break;
            if (place < p.k)
                beams.data[list_word(BEAM_LIST_SCORE, place)] = floatBitsToUint(before);
        }
        if (place < p.k)
            beams.data[list_word(BEAM_LIST_SCORE, place)] = floatBitsToUint(value);
    }
    num_ended++;
}

void go_on(candidate c) {
    if (lane == 0) {
        const uint draw = beams.data[list_word(BEAM_LIST_DRAW + (step & 1), c.hypothesis)];
        const bool is_branch = RULE == BEAM_RULE_APART && num_alive == 1;
        beams.data[list_word(BEAM_LIST_SUM + 1 - (step & 1), num_next)] = floatBitsToUint(c.sum);
        beams.data[list_word(BEAM_LIST_DRAW + 1 - (step & 1), num_next)] =
            is_branch && p.branches != 0 ? num_next : draw;
        beams.data[list_word(BEAM_LIST_TOKEN, num_next)] = c.token;
        beams.data[list_word(BEAM_LIST_PARENT, num_next)] = first_row + c.hypothesis;
    }
    num_next++;
}

void use(candidate c) {
    write_event(c.token, c.hypothesis, c.sum, c.log_prob);
    if (c.token == p.eos)
        add_score(score(c.sum, step + 1));
    else
        go_on(c);
}

// The best `wanted` candidates, ended ones among them.
void select_shrinking(uint wanted) {
    for (uint i = 0; i < wanted; i++) {
        const candidate c = take(0, num_alive);
        if (c.token == NONE)
            break;
        use(c);
    }
}

// The best K that go on; what ends counts if it is among the best K of all.
void select_full() {
    for (uint rank = 0; num_next < p.k; rank++) {
        const candidate c = take(0, num_alive);
        if (c.token == NONE)
            break;
        if (c.token != p.eos || rank < p.k)
            use(c);
    }
}

void select_apart() {
    for (uint i = 0; i < num_alive; i++) {
        const candidate c = take(i, i + 1);
        if (c.token == NONE)
            write_event(BEAM_NO_TOKEN, i,
                        uintBitsToFloat(beams.data[list_word(BEAM_LIST_SUM + (step & 1), i)]), 0.0);
        else
            use(c);
    }
}

void select() {
    const uint prefix = sentences.data[gl_WorkGroupID.x * SENTENCE_WORDS + SENTENCE_PREFIX_LENGTH];
    if (RULE == BEAM_RULE_MARIAN)
        select_shrinking(p.k - num_ended);
    else if (RULE != BEAM_RULE_APART)
        select_full();
    else if (p.branches != 0 && step == prefix)
        select_shrinking(p.k);
    else
        select_apart();
    if (num_events == 0)
        for (uint i = 0; i < num_alive; i++)
            write_event(BEAM_NO_TOKEN, i,
                        uintBitsToFloat(beams.data[list_word(BEAM_LIST_SUM + (step & 1), i)]), 0.0);
}

// The n-th best score of what has ended; lane 0 has written it.
float ended_score(uint n) {
    const float value =
        lane == 0 ? uintBitsToFloat(beams.data[list_word(BEAM_LIST_SCORE, n - 1)]) : LOWEST;
    return wave_max(value);
}

// Whether nothing that goes on can come among the n best; highest: the largest sum that goes on.
bool is_settled(float highest, uint max_steps) {
    if (RULE == BEAM_RULE_HF_EARLY)
        return num_ended >= p.k;
    if (RULE == BEAM_RULE_HF)
        return num_ended >= p.k && ended_score(p.k) >= score(highest, step + 1);
    if (RULE != BEAM_RULE_EXACT || num_ended < p.n_best)
        return false;
    float bound = LOWEST;
    for (uint length = step + 2 + lane; length <= max_steps; length += WAVE)
        bound = max(bound, score(highest, length));
    return ended_score(p.n_best) >= wave_max(bound);
}

bool is_finite() {
    float wrong = 0.0;
    for (uint i = lane; i < num_alive; i += WAVE) {
        const float value = log_sums.data[first_row + i];
        wrong = abs(value) < -LOWEST ? wrong : 1.0;
    }
    return wave_max(wrong) == 0.0;
}

uint outcome(uint max_steps) {
    if (step + 1 == max_steps)
        return OUTCOME_OUT_OF_STEPS;
    const float first =
        lane == 0 && num_next > 0
            ? uintBitsToFloat(beams.data[list_word(BEAM_LIST_SUM + 1 - (step & 1), 0)])
            : LOWEST;
    const float highest = wave_max(first);
    return num_next > 0 && is_settled(highest, max_steps) ? OUTCOME_STOPPED : OUTCOME_GOES_ON;
}

void main() {
    base = gl_WorkGroupID.x * p.beam_stride;
    lists = base + BEAM_HEAD;
    step = beams.data[base + BEAM_STEP];
    first_row = beams.data[base + BEAM_FIRST_ROW];
    num_alive = beams.data[base + BEAM_ALIVE];
    num_ended = beams.data[base + BEAM_ENDED];
    num_events = num_next = 0;
    uint result = OUTCOME_GOES_ON;
    for (uint list = lane; list < num_alive * p.num_stretches; list += WAVE)
        heads.data[gl_WorkGroupID.x * p.k * p.num_stretches + list] = 0;
    if (num_alive > 0 && !is_finite()) {
        result = OUTCOME_DIVERGED;
    } else if (num_alive > 0) {
        select();
        result = outcome(sentences.data[gl_WorkGroupID.x * SENTENCE_WORDS + SENTENCE_MAX_STEPS]);
    }
    if (lane == 0) {
        const uint head = gl_WorkGroupID.x * p.event_stride;
        beams.data[base + BEAM_ALIVE] = result == OUTCOME_GOES_ON ? num_next : 0;
        beams.data[base + BEAM_ENDED] = num_ended;
        beams.data[base + BEAM_STEP] = step + 1;
        events.data[head + EVENTS_NUM] = num_events;
        events.data[head + EVENTS_ALIVE] = result == OUTCOME_GOES_ON ? num_next : 0;
        events.data[head + EVENTS_OUTCOME] = result;
        events.data[head + EVENTS_OUTCOME + 1] = 0;
    }
    const uint end = (gl_WorkGroupID.x + 1) * p.event_stride;
    for (uint word = end - p.event_stride + EVENTS_HEAD + EVENT_WORDS * num_events + lane;
         word < end; word += WAVE)
        events.data[word] = 0;
}
