#version 450
// Changes the logits of a row: to BANNED where a token may not follow, by the penalty where the
// row's hypothesis has the token. While tokens are forced, all others are banned and nothing else
// is done. A wave takes a row.
// Source: Keskar et al. 2019, arXiv:1909.05858, section 4.1, on log probabilities; Paulus et al.
// 2017, arXiv:1705.04304, section 2.5.
#extension GL_GOOGLE_include_directive : require
#include "constrain_interface.h"
#define PUSH constrain_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

BIND(coherent, 1, float, 4, logits);
BIND_READ(2, float, 4, log_sums);
BIND_READ(3, uint, 4, rows);
BIND_READ(4, uint, 4, cache_rows);
BIND_READ(5, uint, 4, sentences);
// Where each suppressed sequence of tokens is and how many it has, in pairs; such sequences; then
// forced tokens.
BIND_READ(6, uint, 4, words);
BIND_UPDATE(7, float, 4, penalized);

const float BANNED = -3.4e38; // lower than what top_k takes

#ifdef WAVE_SUBGROUP
#define WAVE_BARRIER() subgroupBarrier()
#else
#define WAVE_BARRIER()                                                                             \
    memoryBarrierBuffer();                                                                         \
    barrier()
#endif

uint search_row, base;

// Token i of the hypothesis, after the one that starts every translation.
uint history(uint i) {
    const uint place = cache_rows.data[search_row * p.cache_stride + i + 1];
    return rows.data[ROWS_HISTORY * p.section + place];
}

void ban(uint token) {
    if (token < p.vocab)
        logits.data[base + token] = BANNED;
}

float penalty_of(float logit, float log_sum) {
    if ((p.penalty_kind & PENALTY_OF_LOGITS) != 0)
        return logit > 0.0 ? logit / p.repetition_penalty : logit * p.repetition_penalty;
    precise float log_prob = logit - log_sum;
    precise float scaled = log_prob * p.repetition_penalty;
    precise float result = log_sum + scaled;
    return result;
}

// All are read before any is written, so that a token that stands twice is penalised once.
void penalize(uint num_tokens) {
    const float log_sum = log_sums.data[search_row];
    const uint scratch = search_row * p.cache_stride;
    // The token that starts every translation stands before token 0.
    const uint first = (p.penalty_kind & PENALTY_OF_START) != 0 ? 0 : 1;
    for (uint i = first + lane; i <= num_tokens; i += WAVE)
        penalized.data[scratch + i] = penalty_of(logits.data[base + history(i - 1)], log_sum);
    WAVE_BARRIER();
    for (uint i = first + lane; i <= num_tokens; i += WAVE)
        logits.data[base + history(i - 1)] = penalized.data[scratch + i];
    WAVE_BARRIER();
}

// Bans what would end a suppressed sequence.
void ban_suppressed(uint num_tokens) {
    for (uint i = lane; i < p.num_suppressed; i += WAVE) {
        const uint first = words.data[2 * i], length = words.data[2 * i + 1];
        bool is_same = length <= num_tokens + 1;
        for (uint j = 0; j + 1 < length && is_same; j++)
            is_same = history(num_tokens + 1 - length + j) == words.data[first + j];
        if (is_same)
            ban(words.data[first + length - 1]);
    }
}

// Bans what would end an n-gram that the hypothesis has, n = no_repeat_ngram.
void ban_ngrams(uint num_tokens) {
    const uint n = p.no_repeat_ngram;
    for (uint first = lane; first + n <= num_tokens; first += WAVE) {
        bool is_same = true;
        for (uint i = 0; i + 1 < n && is_same; i++)
            is_same = history(first + i) == history(num_tokens + 1 - n + i);
        if (is_same)
            ban(history(first + n - 1));
    }
}

// Bans all tokens but one; is_given: it costs nothing.
void force(uint forced, bool is_given) {
    for (uint token = lane; token < p.vocab; token += WAVE)
        if (token != forced)
            logits.data[base + token] = BANNED;
        else if (is_given)
            logits.data[base + token] = log_sums.data[search_row];
}

void main() {
    search_row = p.first_row + gl_WorkGroupID.x;
    base = gl_WorkGroupID.x * p.stride;
    const uint num_keys = rows.data[ROWS_SELF * p.section + 4 * search_row + 3];
    if (num_keys == 0)
        return;
    const uint num_tokens = num_keys - 1;
    const uint sentence = rows.data[ROWS_CROSS * p.section + 4 * search_row] * SENTENCE_WORDS;
    if (num_tokens < sentences.data[sentence + SENTENCE_PREFIX_LENGTH]) {
        force(words.data[sentences.data[sentence + SENTENCE_PREFIX] + num_tokens],
              num_tokens < p.num_given);
        return;
    }
    if (p.forces_eos != 0 && num_tokens + 1 == sentences.data[sentence + SENTENCE_MAX_STEPS]) {
        force(p.eos, true);
        return;
    }
    if (p.repetition_penalty != 1.0)
        penalize(num_tokens);
    ban_suppressed(num_tokens);
    if (p.no_repeat_ngram > 0)
        ban_ngrams(num_tokens);
    if (num_tokens < p.min_length && lane == 0)
        ban(p.eos);
}
