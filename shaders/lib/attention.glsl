// What the attention kernels share. A wave holds ATTENTION_ROWS rows of one side in registers, by
// staging; each lane stands for one row of the other side.
#include "attention_interface.h"
#define PUSH attention_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"
#include "lib/repeat.glsl"
#include "lib/dropout.glsl"

layout(constant_id = ATTENTION_SPEC_CAUSAL) const uint CAUSAL = 0;
layout(constant_id = ATTENTION_SPEC_QUADS) const uint QUADS = 16;

const float LOWEST = -3.0e38;
const float INFINITE = 1.0 / 0.0;

// Registers to stage a vec4 of each of the rows, for waves of 4 and more.
#define ROW_REGS (ATTENTION_ROWS / 4)
#define ROWS(F) REPEAT_8(F)

// A lane's share of a head's output: vec4 lane, WAVE + lane, ... of QUADS.
#define MAX_SLICES (ATTENTION_MAX_WIDTH / 4 / 4)
#define SLICES(F) REPEAT_8(F)
#define SLICE_QUAD(s) min(s *WAVE + lane, QUADS - 1)
#define IN_SLICE(s) (s * WAVE + lane < QUADS)

// Stages one vec4 of each row: row i with lane i % WAVE.
#define STAGE_ROWS(stage, buf, base, stride, num_rows, quad)                                       \
    STAGE_PUT(stage, 0, LOAD4(buf, (base) + min(lane, (num_rows)-1) * (stride) + (quad)));         \
    if (WAVE < ATTENTION_ROWS)                                                                     \
    STAGE_PUT(stage, 1, LOAD4(buf, (base) + min(WAVE + lane, (num_rows)-1) * (stride) + (quad)))
#define STAGED_ROW(stage, r) STAGE_GET(stage, r / WAVE, r % WAVE)

float dot_add(vec4 a, vec4 b, float sum) {
    precise float result = fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, sum))));
    return result;
}

// Dropout's factors of the weights are a matrix [keys, queries] a head: four queries of a key come
// from one draw.
vec4 weight_factors(uint head, uint key, uint query_quad) {
    return dropout_factors(p.dropout_threshold, p.dropout_scale, p.dropout_stream + head, key,
                           query_quad);
}

// Four columns of eight, a and b, from one of the first four on.
vec4 columns_from(vec4 a, vec4 b, uint first) {
    return first == 0   ? a
           : first == 1 ? vec4(a.yzw, b.x)
           : first == 2 ? vec4(a.zw, b.xy)
                        : vec4(a.w, b.xyz);
}

// Those of a block of queries from `query` on, and one key.
void block_factors(uint head, uint key, uint query, out vec4 factors[ATTENTION_ROWS / 4]) {
    vec4 next = weight_factors(head, key, query / 4);
    for (uint i = 0; i < ATTENTION_ROWS / 4; i++) {
        const vec4 own = next;
        next = weight_factors(head, key, query / 4 + i + 1);
        factors[i] = columns_from(own, next, query % 4);
    }
}
