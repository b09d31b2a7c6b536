#version 450
// The global norm, whether the update is skipped, the factor that clips, and the cost scale; by
// one wave.
// Source: Pascanu et al. 2013, arXiv:1211.5063, algorithm 1.
#extension GL_GOOGLE_include_directive : require
#include "optimizer_interface.h"
#define PUSH norm_window_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

BIND_READ(1, float, 4, parts);
BIND_UPDATE(2, uint, 4, state);
BIND_WRITE(3, uint, 4, report); // a copy of the state for the host

void set(uint word, uint value) {
    state.data[word] = value;
    report.data[word] = value;
}

// Returns whether the scale took the blame for an update that is skipped.
// Source: Micikevicius et al. 2017, arXiv:1710.03740, section 3.2.
bool adapt_scale(float cost_scale, bool skip) {
    uint good = skip ? 0u : state.data[STATE_SCALE_GOOD] + 1u;
    const bool lowers = skip && cost_scale > p.scale_minimum && p.scale_multiplier > 1.0;
    if (lowers)
        cost_scale = max(cost_scale / p.scale_multiplier, p.scale_minimum);
    if (p.scale_frequency != 0 && good >= p.scale_frequency) {
        good = 0u;
        cost_scale = max(min(cost_scale * p.scale_multiplier, MAX_COST_SCALE), cost_scale);
    }
    set(STATE_COST_SCALE, floatBitsToUint(cost_scale));
    set(STATE_SCALE_GOOD, good);
    set(STATE_SCALE_LOWERED, lowers ? 1 : 0);
    return lowers;
}

void main() {
    const uint num_parts = header_dim(p.parts_dim);
    float sum = 0.0;
    for (uint i = lane; i < num_parts; i += WAVE)
        sum += parts.data[i];
    const bool is_scaled = p.scale_multiplier > 0.0;
    const float cost_scale = is_scaled ? uintBitsToFloat(state.data[STATE_COST_SCALE]) : 1.0;
    float scale = header_float(HEADER_GRADIENT_SCALE);
    if (is_scaled)
        scale /= cost_scale;
    const float norm = sqrt(wave_sum(sum)) * scale, clip = header_float(HEADER_CLIP);
    if (lane != 0)
        return;
    const bool skip = isinf(norm) || isnan(norm);
    const float factor = clip > 0.0 && norm > clip ? scale * (clip / norm) : scale;
    const bool is_blamed = is_scaled && adapt_scale(cost_scale, skip);
    if (!is_scaled) { // the report has nothing of its own
        set(STATE_COST_SCALE, 0);
        set(STATE_SCALE_LOWERED, 0);
    }
    uint good = skip ? 0u : state.data[STATE_GOOD] + 1u, halvings = state.data[STATE_HALVINGS];
    if (skip && !is_blamed) {
        halvings = min(halvings + 1u, MAX_HALVINGS);
    } else if (halvings > 0u && good >= RECOVERY_UPDATES) {
        good = 0u;
        halvings--;
    }
    set(STATE_UPDATES, state.data[STATE_UPDATES] + (skip ? 0u : 1u));
    set(STATE_SKIPPED, state.data[STATE_SKIPPED] + (skip ? 1u : 0u));
    set(STATE_SKIP, skip ? 1 : 0);
    set(STATE_FACTOR, floatBitsToUint(factor));
    set(STATE_NORM, floatBitsToUint(norm));
    set(STATE_SKIPPED_IN_A_ROW, skip ? state.data[STATE_SKIPPED_IN_A_ROW] + 1u : 0u);
    set(STATE_GOOD, good);
    set(STATE_HALVINGS, halvings);
}
