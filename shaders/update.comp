#version 450
// One optimiser step over a window of the parameters.
// Sources: Kingma and Ba 2014, arXiv:1412.6980, algorithm 1; Loshchilov and Hutter 2017,
// arXiv:1711.05101, algorithm 2; Sutskever et al. 2013 (momentum).
#extension GL_GOOGLE_include_directive : require
#include "optimizer_interface.h"
#define PUSH update_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"

layout(constant_id = UPDATE_SPEC_KIND) const uint KIND = UPDATE_ADAM;
layout(constant_id = UPDATE_SPEC_SMOOTHS) const uint SMOOTHS = 0;

BIND_MATRIX_UPDATE(1, value);
BIND_MATRIX(2, gradient);
BIND_MATRIX_UPDATE(3, moment1);
BIND_MATRIX_UPDATE(4, moment2);
BIND_READ(5, uint, 4, state);
BIND_MATRIX_UPDATE(6, average);

// 1 - exp(x) for x <= 0 without cancellation near 0.
float one_minus_exp(float x) {
    return x > -0.01 ? -x * fma(x, fma(x, 1.0 / 6.0, 0.5), 1.0) : 1.0 - exp(x);
}

void main() {
    if (state.data[STATE_SKIP] != 0)
        return;
    const uint quads = header_dim(p.quads_dim), first = gl_WorkGroupID.x * UPDATE_BLOCK_QUADS;
    const float halved = uintBitsToFloat(127u - state.data[STATE_HALVINGS] << 23); // 2^-halvings
    const float rate = header_float(HEADER_RATE) * halved, t = float(state.data[STATE_UPDATES]);
    const float factor = uintBitsToFloat(state.data[STATE_FACTOR]);
    const float correction1 = 1.0 / one_minus_exp(t * p.log_beta1);
    const float correction2 = 1.0 / one_minus_exp(t * p.log_beta2);
    // Early averages would hold on to the first parameters for long.
    const float share = max(p.smoothing, 9.0 / (t + 9.0));
    for (uint quad = first + lane; quad < min(first + UPDATE_BLOCK_QUADS, quads); quad += WAVE) {
        vec4 x = LOAD4(value, quad), g = LOAD4(gradient, quad) * factor;
        if (KIND == UPDATE_ADAMW)
            x -= rate * p.decay * x;
        else
            g += p.decay * x;
        if (KIND == UPDATE_SGD) {
            const vec4 m = p.beta1 * LOAD4(moment1, quad) + g;
            STORE4(moment1, quad, m);
            x -= rate * m;
        } else {
            const vec4 m = mix(g, LOAD4(moment1, quad), p.beta1);
            const vec4 v = mix(g * g, LOAD4(moment2, quad), p.beta2);
            STORE4(moment1, quad, m);
            STORE4(moment2, quad, v);
            x -= rate * (m * correction1) / (sqrt(v * correction2) + p.eps);
        }
        STORE4(value, quad, x);
        if (SMOOTHS != 0) {
            const vec4 a = LOAD4(average, quad);
            STORE4(average, quad, a + share * (x - a));
        }
    }
}
