#version 450
// s = x + dropout(f), y = gamma * (s - mean) / sqrt(variance + eps) + beta; a wave takes a row.
// Source: Ba et al. 2016, arXiv:1607.06450, eq. 4.
#extension GL_GOOGLE_include_directive : require
#include "residual_norm_interface.h"
#define PUSH norm_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"
#include "lib/dropout.glsl"

layout(constant_id = NORM_SPEC_RESIDUAL) const uint RESIDUAL = 1;

BIND_MATRIX(1, x);
BIND_MATRIX(2, f);
BIND_MATRIX(3, gamma);
BIND_MATRIX(4, beta);
BIND_MATRIX_UPDATE(5, s);
BIND_MATRIX_WRITE(6, y);
BIND_WRITE(7, vec2, 8, stats);

vec4 load_sum(uint row, uint quad) {
    const uint idx = row * p.stride + quad;
    return RESIDUAL != 0 ? LOAD4(s, idx) : LOAD4(x, idx);
}

void main() {
    const uint rows = header_dim(p.rows_dim);
    const float scale = 1.0 / float(4 * p.quads);
    for (uint row = gl_WorkGroupID.x; row < rows; row += gl_NumWorkGroups.x) {
        vec4 sum = vec4(0);
        for (uint quad = lane; quad < p.quads; quad += WAVE) {
            const uint idx = row * p.stride + quad;
            vec4 value = LOAD4(x, idx);
            if (RESIDUAL != 0) {
                value += LOAD4(f, idx) * dropout_factors(p.dropout_threshold, p.dropout_scale,
                                                         p.dropout_stream, row, quad);
                STORE4(s, idx, value);
            }
            sum += value;
        }
        const float mean = wave_sum(sum.x + sum.y + sum.z + sum.w) * scale;
        sum = vec4(0);
        for (uint quad = lane; quad < p.quads; quad += WAVE) {
            const vec4 centred = load_sum(row, quad) - mean;
            sum += centred * centred;
        }
        const float variance = wave_sum(sum.x + sum.y + sum.z + sum.w) * scale;
        const float inverse = inversesqrt(variance + p.eps);
        for (uint quad = lane; quad < p.quads; quad += WAVE)
            STORE4(
                y, row * p.stride + quad,
                fma((load_sum(row, quad) - mean) * inverse, LOAD4(gamma, quad), LOAD4(beta, quad)));
        if (lane == 0)
            stats.data[row] = vec2(mean, inverse);
    }
}
