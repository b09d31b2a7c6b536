// Scaled dot-product attention over packed sequences. Read by C and GLSL.
#ifndef SHADERS_ATTENTION_INTERFACE_H
#define SHADERS_ATTENTION_INTERFACE_H

#include "lib/shared.h"

// Rows of a block: queries in the forward pass and for dQ, keys for dK and dV.
#define ATTENTION_ROWS 8
// Head widths: multiples of 4 up to this.
#define ATTENTION_MAX_WIDTH 128

#define ATTENTION_Q 1
#define ATTENTION_KV 2
#define ATTENTION_STATS 3 // [N, H] pairs: log-sum-exp, rowsum(dO * O)
#define ATTENTION_TABLE 4 // blocks: first row, rows, first counterpart, end of counterparts
#define ATTENTION_OUT 5   // written forward, read backward
#define ATTENTION_DOUT 6
#define ATTENTION_GRAD 7  // dQ, or dK and dV side by side
// One step of decoding: no statistics, and keys by index.
#define ATTENTION_CACHE_ROWS 3 // [R, T] rows of the cache that a hypothesis has come by

#define ATTENTION_SPEC_CAUSAL 1
#define ATTENTION_SPEC_QUADS 2 // head width / 4
#define ATTENTION_SPEC_INDIRECT 3
#define ATTENTION_SPEC_DROPOUT 3 // of the weights; in training alone

// Strides and offsets are in vec4.
struct attention_push {
    SHARED_UINT stats_stride; // pairs a row
    SHARED_UINT q_stride, q_offset;
    SHARED_UINT kv_stride, k_offset, v_offset;
    SHARED_UINT out_stride;
    SHARED_UINT grad_stride, grad_offset, grad_v_offset;
    SHARED_UINT cache_stride; // in elements
    SHARED_FLOAT scale;
    SHARED_UINT dropout_threshold;
    SHARED_FLOAT dropout_scale;
    SHARED_UINT dropout_stream; // of head 0; the others' follow
};

#endif
