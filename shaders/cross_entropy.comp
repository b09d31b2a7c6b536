#version 450
// loss = -(1 - e) log p(label) - e / V' sum over symbols of log p, with V' = V without the pad;
// both may have a weight for each row; the logits become their gradient. A wave takes a row.
// Source: Szegedy et al. 2015, arXiv:1512.00567, section 7.
#extension GL_GOOGLE_include_directive : require
#include "cross_entropy_interface.h"
#define PUSH cross_entropy_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

layout(constant_id = CROSS_ENTROPY_SPEC_GRADIENT) const uint GRADIENT = 0;
layout(constant_id = CROSS_ENTROPY_SPEC_WEIGHTED) const uint WEIGHTED = 0;
layout(constant_id = CROSS_ENTROPY_SPEC_SCALED) const uint SCALED = 0;

BIND_MATRIX_UPDATE(1, logits);
BIND_READ(2, uint, 4, labels);
BIND_WRITE(3, float, 4, losses);
BIND_READ(4, float, 4, weights);
BIND_READ(5, uint, 4, state);

const float LOWEST = -3.0e38;

float component(vec4 v, uint i) {
    return i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w;
}

// Which of a vec4's columns are symbols: not past the vocabulary, and not the pad.
bvec4 symbols(uint quad) {
    const uvec4 column = uvec4(4 * quad) + uvec4(0, 1, 2, 3);
    const bvec4 inside = lessThan(column, uvec4(p.vocab)), other = notEqual(column, uvec4(p.pad));
    return bvec4(inside.x && other.x, inside.y && other.y, inside.z && other.z,
                 inside.w && other.w);
}

float sum_of(vec4 v) {
    return v.x + v.y + v.z + v.w;
}

void main() {
    const uint rows = header_dim(p.rows_dim), quads = (p.vocab + 3) / 4;
    const float num_symbols = float(p.vocab) - (p.pad < p.vocab ? 1.0 : 0.0);
    const float share = p.smoothing / num_symbols;
    for (uint row = gl_WorkGroupID.x; row < rows; row += gl_NumWorkGroups.x) {
        const uint base = row * p.stride, label = labels.data[p.first_row + below(row, rows)];
        vec4 highest = vec4(LOWEST), exps = vec4(0), sum = vec4(0);
        for (uint quad = lane; quad < quads; quad += WAVE) {
            const vec4 z = LOAD4(logits, base + quad);
            const bvec4 in_softmax = symbols(quad);
            const vec4 masked = mix(vec4(LOWEST), z, in_softmax);
            const vec4 higher = max(highest, masked);
            exps = exps * exp(highest - higher) + mix(vec4(0), exp(masked - higher), in_softmax);
            highest = higher;
            sum += mix(vec4(0), z, in_softmax);
        }
        const float row_max = wave_max(max(max(highest.x, highest.y), max(highest.z, highest.w)));
        const float total = wave_sum(sum_of(exps * exp(highest - row_max)));
        const float lse = row_max + log(total), logit_sum = wave_sum(sum_of(sum));
        const float label_logit = component(LOAD4(logits, base + label / 4), label % 4);
        const float loss = lse - (1.0 - p.smoothing) * label_logit - share * logit_sum;
        float scale = header_float(HEADER_LOSS_SCALE);
        if (SCALED != 0)
            scale *= uintBitsToFloat(state.data[STATE_COST_SCALE]);
        if (WEIGHTED != 0)
            scale *= weights.data[p.first_row + row];
        if (lane == 0)
            losses.data[p.first_row + row] =
                WEIGHTED != 0 ? loss * weights.data[p.first_row + row] : loss;
        if (GRADIENT == 0)
            continue;
#ifndef WAVE_SUBGROUP
        barrier(); // every lane has read the label's logit before it is overwritten
#else
        subgroupBarrier();
#endif
        for (uint quad = lane; quad < p.stride; quad += WAVE) {
            const vec4 z = LOAD4(logits, base + quad);
            const bvec4 at_label = equal(uvec4(4 * quad) + uvec4(0, 1, 2, 3), uvec4(label));
            const vec4 gradient =
                exp(z - lse) - mix(vec4(share), vec4(share + 1.0 - p.smoothing), at_label);
            STORE4(logits, base + quad, mix(vec4(0), gradient * scale, symbols(quad)));
        }
    }
}
