#version 450
// Draws a token from softmax(logits / temperature), or from its most probable part: the highest
// logit / temperature + g, where g is Gumbel noise, a function of seed, sentence, hypothesis, step
// and token. What it gives is laid out as a top_k of one. A wave takes a row.
// Source: Maddison et al. 2014, arXiv:1411.0030, section 2; Fan et al. 2018, arXiv:1805.04833;
// Holtzman et al. 2019, arXiv:1904.09751, section 3.1.
#extension GL_GOOGLE_include_directive : require
#include "sample_interface.h"
#define PUSH sample_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"
#include "lib/philox.glsl"
#include "lib/repeat.glsl"

layout(constant_id = SAMPLE_SPEC_FROM) const uint FROM = SAMPLE_FROM_ALL;

BIND_MATRIX(1, logits);
BIND_WRITE(2, uint, 4, drawn);
BIND_READ(3, uint, 4, rows);
BIND_READ(4, uint, 4, sentences);

const float LOWEST = -3.0e38;
const uint NONE = 0xffffffffu;

uint base;

float component(vec4 v, uint i) {
    return i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w;
}

bool can_follow(uint token, float z) {
    return token < p.vocab && token != p.pad && z > LOWEST;
}

// Orders as the floats do.
uint key_of(float z) {
    const uint bits = floatBitsToUint(z);
    return bits >= 0x80000000u ? ~bits : bits | 0x80000000u;
}

float highest_logit() {
    float highest = LOWEST;
    for (uint quad = lane; 4 * quad < p.vocab; quad += WAVE) {
        const vec4 z = LOAD4(logits, base + quad);
        for (uint c = 0; c < 4; c++)
            if (can_follow(4 * quad + c, component(z, c)))
                highest = max(highest, component(z, c));
    }
    return wave_max(highest);
}

// What a token weighs in the part that is looked for: one, or its probability, unnormalised.
float weight_of(float z, float highest) {
    return FROM == SAMPLE_FROM_TOP_K ? 1.0 : exp((z - highest) / p.temperature);
}

float total_weight(float highest) {
    float sum = 0.0;
    for (uint quad = lane; 4 * quad < p.vocab; quad += WAVE) {
        const vec4 z = LOAD4(logits, base + quad);
        for (uint c = 0; c < 4; c++)
            if (can_follow(4 * quad + c, component(z, c)))
                sum += weight_of(component(z, c), highest);
    }
    return wave_sum(sum);
}

// The highest key such that tokens from it on weigh as much as is wanted: four bits at a time.
uint threshold_key(float highest) {
    const float wanted = FROM == SAMPLE_FROM_TOP_K ? float(p.k) : p.mass * total_weight(highest);
    uint threshold = 0;
    for (int shift = 28; shift >= 0; shift -= 4) {
        precise float weights[16];
#define CLEAR(i) weights[i] = 0.0;
        REPEAT_16(CLEAR)
        for (uint quad = lane; 4 * quad < p.vocab; quad += WAVE) {
            const vec4 z = LOAD4(logits, base + quad);
            for (uint c = 0; c < 4; c++) {
                const float zc = component(z, c);
                if (!can_follow(4 * quad + c, zc))
                    continue;
                const uint key = key_of(zc);
                const float weight = weight_of(zc, highest);
#define ADD(i) weights[i] += key >= threshold + (uint(i) << shift) ? weight : 0.0;
                REPEAT_16(ADD)
            }
        }
        uint digit = 0;
#define RAISE(i)                                                                                   \
    if (i > 0 && wave_sum(weights[i]) >= wanted)                                                   \
        digit = i;
        REPEAT_16(RAISE)
        threshold += digit << shift;
    }
    return threshold;
}

// -log(-log(u)) for u uniform in (0, 1), by 1 - u, so that large values are fine-grained.
float gumbel(uint random) {
    const float rest = (float(random) + 0.5) * (1.0 / 4294967296.0);
    const float exponential =
        rest < 1e-3 ? rest + 0.5 * rest * rest : -log(1.0 - min(rest, 0.9999999));
    return -log(exponential);
}

void main() {
    const uint row = p.first_row + gl_WorkGroupID.x;
    base = gl_WorkGroupID.x * p.stride;
    const uint cross = ROWS_CROSS * p.section + 4 * row;
    const uint hash = rows.data[cross] * SENTENCE_WORDS + SENTENCE_HASH;
    const uint draw = rows.data[cross + 1];
    const uint step = rows.data[ROWS_SELF * p.section + 4 * row + 3];
    const uint threshold = FROM == SAMPLE_FROM_ALL ? 0 : threshold_key(highest_logit());
    float highest = LOWEST, logit = LOWEST;
    uint token = NONE;
    for (uint quad = lane; 4 * quad < p.vocab; quad += WAVE) {
        const vec4 z = LOAD4(logits, base + quad);
        const uvec4 random = philox(uvec2(p.seed, sentences.data[hash]),
                                    uvec4(quad, step, draw, sentences.data[hash + 1]));
        for (uint c = 0; c < 4; c++) {
            const float zc = component(z, c);
            const float noisy = zc / p.temperature + gumbel(random[c]);
            if (can_follow(4 * quad + c, zc) && key_of(zc) >= threshold && noisy > highest) {
                highest = noisy;
                logit = zc;
                token = 4 * quad + c;
            }
        }
    }
    const float best = wave_max(highest);
    const uint best_token = wave_min(highest == best ? token : NONE);
    const float best_logit = wave_max(token == best_token ? logit : LOWEST);
    if (lane == 0) {
        drawn.data[row * p.out_stride] = floatBitsToUint(best_logit);
        drawn.data[row * p.out_stride + 1] = best_token;
    }
}
