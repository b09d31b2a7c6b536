#version 450
// C = the sum of its slices, in order (+ C), and the same for the sums of A's columns. A lane takes
// four numbers.
#extension GL_GOOGLE_include_directive : require
#include "gemm_interface.h"
#define PUSH gemm_slices_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"
#include "lib/gemm_slices.glsl"

layout(constant_id = GEMM_SLICES_SPEC_ACCUMULATE) const uint ACCUMULATE = ACCUMULATE_NO;
layout(constant_id = GEMM_SLICES_SPEC_BIAS) const uint BIAS = 0;

BIND_MATRIX(GEMM_SLICES_PARTS, parts);
BIND_MATRIX_UPDATE(GEMM_SLICES_C, c);
BIND_MATRIX(GEMM_SLICES_BIAS_PARTS, bias_parts);
BIND_MATRIX_UPDATE(GEMM_SLICES_BIAS, bias);

vec4 add_up(uint i, uint num) {
    precise vec4 sum = vec4(0);
    for (uint slice = 0; slice < num; slice++)
        sum += LOAD4(parts, slice * p.rows * p.quads + i);
    return sum;
}

vec4 add_up_bias(uint i, uint num) {
    precise vec4 sum = vec4(0);
    for (uint slice = 0; slice < num; slice++)
        sum += LOAD4(bias_parts, slice * p.bias_quads + i);
    return sum;
}

void main() {
    const uint rows = header_dim(p.rows_dim), each = slice_rows(rows, p.num_slices);
    const uint num = (rows + each - 1) / each, c_quads = p.rows * p.quads;
    const uint first = gl_WorkGroupID.x * WAVE + lane, step = gl_NumWorkGroups.x * WAVE;
    for (uint i = first; i < c_quads; i += step) {
        const uint idx = i / p.quads * p.c_stride + i % p.quads;
        const vec4 sum = add_up(i, num);
        STORE4(c, idx, accumulates(ACCUMULATE) ? LOAD4(c, idx) + sum : sum);
    }
    for (uint i = first; BIAS != 0 && i < p.bias_quads; i += step) {
        const vec4 sum = add_up_bias(i, num);
        STORE4(bias, i, accumulates(BIAS - 1) ? LOAD4(bias, i) + sum : sum);
    }
}
