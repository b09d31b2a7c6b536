// What the kernels share that work with one head's weights as a matrix: a wave takes a row, a lane
// a key. Column i of a query's row is the i-th key of its sequence.
#include "alignment_interface.h"
#define PUSH alignment_push
#include "lib/bind.glsl"
#include "lib/wave.glsl"
#include "lib/repeat.glsl"

layout(constant_id = ALIGNMENT_SPEC_QUADS) const uint QUADS = 16;

// A lane's share of a head's row: vec4 lane, WAVE + lane, ... of QUADS, for waves of 4 and more.
#define MAX_SLICES (ALIGNMENT_MAX_WIDTH / 4 / 4)
#define SLICES(F) REPEAT_8(F)
#define SLICE_QUAD(s) min(s *WAVE + lane, QUADS - 1)
#define IN_SLICE(s) (s * WAVE + lane < QUADS)
