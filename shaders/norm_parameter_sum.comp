#version 450
// Sums the parts of all chunks into the gradients of gamma and beta. A lane takes four columns.
#extension GL_GOOGLE_include_directive : require
#include "residual_norm_interface.h"
#define PUSH norm_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

layout(constant_id = NORM_SPEC_ACCUMULATE) const uint ACCUMULATE = ACCUMULATE_NO;

BIND_MATRIX(1, parts);
BIND_MATRIX_UPDATE(2, dgamma);
BIND_MATRIX_UPDATE(3, dbeta);

void main() {
    const uint chunks = header_dim(p.chunks_dim), quad = gl_WorkGroupID.x * WAVE + lane;
    if (quad >= p.quads)
        return;
    vec4 gamma_sum = vec4(0), beta_sum = vec4(0);
    if (accumulates(ACCUMULATE)) {
        gamma_sum = LOAD4(dgamma, quad);
        beta_sum = LOAD4(dbeta, quad);
    }
    for (uint chunk = 0; chunk < chunks; chunk++) {
        gamma_sum += LOAD4(parts, 2 * chunk * p.stride + quad);
        beta_sum += LOAD4(parts, (2 * chunk + 1) * p.stride + quad);
    }
    STORE4(dgamma, quad, gamma_sum);
    STORE4(dbeta, quad, beta_sum);
}
