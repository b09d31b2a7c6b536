#version 450
// Sums the parts of all chunks into the gradients of gamma and beta. A lane takes four columns.
#extension GL_GOOGLE_include_directive : require
#include "residual_norm_interface.h"
#define PUSH norm_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

layout(constant_id = NORM_SPEC_ACCUMULATE) const uint ACCUMULATE = ACCUMULATE_NO;

BIND_READ(1, vec4, 16, parts);
BIND_UPDATE(2, vec4, 16, dgamma);
BIND_UPDATE(3, vec4, 16, dbeta);

void main() {
    const uint chunks = header_dim(p.chunks_dim), quad = gl_WorkGroupID.x * WAVE + lane;
    if (quad >= p.quads)
        return;
    vec4 gamma_sum = vec4(0), beta_sum = vec4(0);
    if (accumulates(ACCUMULATE)) {
        gamma_sum = dgamma.data[quad];
        beta_sum = dbeta.data[quad];
    }
    for (uint chunk = 0; chunk < chunks; chunk++) {
        gamma_sum += parts.data[2 * chunk * p.quads + quad];
        beta_sum += parts.data[(2 * chunk + 1) * p.quads + quad];
    }
    dgamma.data[quad] = gamma_sum;
    dbeta.data[quad] = beta_sum;
}
