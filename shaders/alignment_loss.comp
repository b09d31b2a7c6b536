#version 450
// The loss of a target token's attention weights a against its links, n of which have the weight
// g = 1 / n: -sum g log(a + eps), or sum (a - g)^2 / 2, or -log(sum a g + eps); or the gradient of
// that by a, times a weight and the loss scale. A token without links has none. A wave takes a row.
// Source: Chen et al. 2016, arXiv:1607.01628, section 3.
#extension GL_GOOGLE_include_directive : require
#include "alignment_interface.h"
#define PUSH alignment_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

layout(constant_id = ALIGNMENT_SPEC_COST) const uint COST = ALIGNMENT_COST_CE;
layout(constant_id = ALIGNMENT_SPEC_GRADIENT) const uint GRADIENT = 0;
layout(constant_id = ALIGNMENT_SPEC_SCALED) const uint SCALED = 0;

BIND_READ(ALIGNMENT_LINKS, uint, 4, links);
BIND_WRITE(ALIGNMENT_LOSSES, float, 4, losses);
BIND_READ(ALIGNMENT_WEIGHTS, float, 4, weights);
BIND_WRITE(ALIGNMENT_DWEIGHTS, float, 4, dweights);
BIND_READ(ALIGNMENT_STATE, uint, 4, state);

const float EPS = 1e-6;

float link(uint row, uint key) {
    return float((links.data[row * p.links_stride + key / 32] >> (key % 32)) & 1);
}

void main() {
    const uint rows = header_dim(p.rows_dim);
    float scale = p.scale * header_float(HEADER_LOSS_SCALE);
    if (SCALED != 0)
        scale *= uintBitsToFloat(state.data[STATE_COST_SCALE]);
    for (uint row = gl_WorkGroupID.x; row < rows; row += gl_NumWorkGroups.x) {
        float num_part = 0.0, product_part = 0.0, loss_part = 0.0;
        for (uint key = lane; key < p.max_keys; key += WAVE) {
            num_part += link(row, key);
            product_part += link(row, key) * weights.data[row * p.weights_stride + key];
        }
        const float num = wave_sum(num_part), share = num > 0.0 ? 1.0 / num : 0.0;
        const float product = wave_sum(product_part) * share + EPS;
        for (uint key = lane; key < p.max_keys; key += WAVE) {
            const uint idx = row * p.weights_stride + key;
            const float a = weights.data[idx], g = link(row, key) * share;
            float loss = -g * log(a + EPS), slope = -g / (a + EPS);
            if (COST == ALIGNMENT_COST_MSE) {
                loss = 0.5 * (a - g) * (a - g);
                slope = a - g;
            }
            if (COST == ALIGNMENT_COST_MULT)
                slope = -g / product;
            loss_part += loss;
            if (GRADIENT != 0)
                dweights.data[idx] = num > 0.0 ? slope * scale : 0.0;
        }
        const float sum = COST == ALIGNMENT_COST_MULT ? -log(product) : wave_sum(loss_part);
        if (GRADIENT == 0 && lane == 0)
            losses.data[row] = num > 0.0 ? sum : 0.0;
    }
}
