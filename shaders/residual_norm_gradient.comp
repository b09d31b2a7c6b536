#version 450
// The gradient of s, which is that of x, and under dropout's mask that of f. A wave takes a row.
#extension GL_GOOGLE_include_directive : require
#include "residual_norm_interface.h"
#define PUSH norm_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"
#include "lib/dropout.glsl"

layout(constant_id = NORM_SPEC_ACCUMULATE) const uint ACCUMULATE = ACCUMULATE_NO;
layout(constant_id = NORM_SPEC_STREAM) const uint STREAM = 0;
layout(constant_id = NORM_SPEC_DROPPED) const uint DROPPED = 0;

BIND_MATRIX(1, dy);
BIND_MATRIX(2, s);
BIND_READ(3, vec2, 8, stats);
BIND_MATRIX(4, gamma);
BIND_MATRIX(5, ds);
BIND_MATRIX_UPDATE(6, dx);
BIND_MATRIX_WRITE(7, df);

void main() {
    const uint rows = header_dim(p.rows_dim);
    const float scale = 1.0 / float(4 * p.quads);
    for (uint row = gl_WorkGroupID.x; row < rows; row += gl_NumWorkGroups.x) {
        const vec2 stat = stats.data[below(row, rows)];
        vec4 sum = vec4(0), sum_normed = vec4(0);
        for (uint quad = lane; quad < p.quads; quad += WAVE) {
            const uint idx = row * p.stride + quad;
            const vec4 g = LOAD4(dy, idx) * LOAD4(gamma, quad);
            sum += g;
            sum_normed += g * (LOAD4(s, idx) - stat.x) * stat.y;
        }
        const float mean = wave_sum(sum.x + sum.y + sum.z + sum.w) * scale;
        const float mean_normed =
            wave_sum(sum_normed.x + sum_normed.y + sum_normed.z + sum_normed.w) * scale;
        for (uint quad = lane; quad < p.quads; quad += WAVE) {
            const uint idx = row * p.stride + quad;
            const vec4 normed = (LOAD4(s, idx) - stat.x) * stat.y;
            vec4 grad =
                (LOAD4(dy, idx) * LOAD4(gamma, quad) - mean - normed * mean_normed) * stat.y;
            if (STREAM != 0)
                grad += LOAD4(ds, idx);
            if (DROPPED != 0)
                STORE4(df, idx,
                       grad * dropout_factors(p.dropout_threshold, p.dropout_scale,
                                              p.dropout_stream, row, quad));
            STORE4(dx, idx, accumulates(ACCUMULATE) ? LOAD4(dx, idx) + grad : grad);
        }
    }
}
