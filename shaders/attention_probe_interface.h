// The probabilities of attention, which the fused kernels never write. Read by C and GLSL.
#ifndef SHADERS_ATTENTION_PROBE_INTERFACE_H
#define SHADERS_ATTENTION_PROBE_INTERFACE_H

#include "lib/shared.h"

#define ATTENTION_PROBE_SPEC_CAUSAL 1
#define ATTENTION_PROBE_SPEC_QUADS 2 // head width / 4

// Strides and offsets are in vec4, that of maps in elements.
struct attention_probe_push {
    SHARED_UINT q_stride, q_offset;
    SHARED_UINT kv_stride, k_offset;
    SHARED_UINT map_stride;
    SHARED_UINT first_head, num_heads; // the mean of these
    SHARED_FLOAT scale;
};

#endif
