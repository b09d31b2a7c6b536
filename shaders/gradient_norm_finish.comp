#version 450
// The global norm, whether the update is skipped, and the factor that clips; by one wave.
// Source: Pascanu et al. 2013, arXiv:1211.5063, algorithm 1.
#extension GL_GOOGLE_include_directive : require
#include "optimizer_interface.h"
#define PUSH norm_window_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

BIND_READ(1, float, 4, parts);
BIND_UPDATE(2, uint, 4, state);
BIND_WRITE(3, uint, 4, report); // a copy of the state for the host

void main() {
    const uint num_parts = header_dim(p.parts_dim);
    float sum = 0.0;
    for (uint i = lane; i < num_parts; i += WAVE)
        sum += parts.data[i];
    const float scale = header_float(HEADER_GRADIENT_SCALE);
    const float norm = sqrt(wave_sum(sum)) * scale, clip = header_float(HEADER_CLIP);
    if (lane != 0)
        return;
    const bool skip = isinf(norm) || isnan(norm);
    const float factor = clip > 0.0 && norm > clip ? scale * (clip / norm) : scale;
    const uint updates = state.data[STATE_UPDATES] + (skip ? 0u : 1u);
    const uint skipped = state.data[STATE_SKIPPED] + (skip ? 1u : 0u);
    const uint in_a_row = skip ? state.data[STATE_SKIPPED_IN_A_ROW] + 1u : 0u;
    uint good = skip ? 0u : state.data[STATE_GOOD] + 1u, halvings = state.data[STATE_HALVINGS];
    if (skip) {
        halvings = min(halvings + 1u, MAX_HALVINGS);
    } else if (halvings > 0u && good >= RECOVERY_UPDATES) {
        good = 0u;
        halvings--;
    }
    state.data[STATE_UPDATES] = updates;
    state.data[STATE_SKIPPED] = skipped;
    state.data[STATE_SKIP] = skip ? 1 : 0;
    state.data[STATE_FACTOR] = floatBitsToUint(factor);
    state.data[STATE_NORM] = floatBitsToUint(norm);
    state.data[STATE_SKIPPED_IN_A_ROW] = in_a_row;
    state.data[STATE_GOOD] = good;
    state.data[STATE_HALVINGS] = halvings;
    report.data[STATE_UPDATES] = updates;
    report.data[STATE_SKIPPED] = skipped;
    report.data[STATE_SKIP] = skip ? 1 : 0;
    report.data[STATE_FACTOR] = floatBitsToUint(factor);
    report.data[STATE_NORM] = floatBitsToUint(norm);
    report.data[STATE_SKIPPED_IN_A_ROW] = in_a_row;
    report.data[STATE_GOOD] = good;
    report.data[STATE_HALVINGS] = halvings;
}
