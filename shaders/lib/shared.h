// Read by C and GLSL: what the host and every shader agree on.
#ifndef SHADERS_LIB_SHARED_H
#define SHADERS_LIB_SHARED_H

#ifdef __STDC_VERSION__
#include <stdint.h>
#define SHARED_UINT uint32_t
#define SHARED_FLOAT float
#else
#define SHARED_UINT uint
#define SHARED_FLOAT float
#endif

// Storage buffers a shader may bind, the batch header (binding 0) included: Vulkan's floor of 8.
#define MAX_BINDINGS 8
// A push-constant block is the operator's own struct, then the addresses of its buffers.
#define PUSH_STRUCT_BYTES 64
#define PUSH_BYTES 128

// Specialisation constants: 0 is the number of invocations a workgroup (a wave, mostly), the
// operator's follow, and after those comes what the matrices' elements are, two bits a binding.
#define SPEC_WAVE 0
#define MAX_SPEC 10
#define SPEC_ELEMENTS 11

// Elements of a matrix; in memory, halves lie two in a word.
#define ELEMENT_F32 0
#define ELEMENT_F16 1
#define ELEMENT_BF16 2
#define NUM_ELEMENTS 3

// The batch header: 32-bit words, rewritten by the host before every run of a program.
#define HEADER_DIMS 0 // values of the program's dimensions
#define HEADER_MAX_DIMS 192
#define HEADER_SEED 192 // of dropout
#define HEADER_RANK 193
#define HEADER_STEP 194       // micro-steps so far: the dropout counter
#define HEADER_MICRO 195      // micro-batches already accumulated in the gradients
#define HEADER_LOSS_SCALE 196 // float: gradient of the summed loss
#define HEADER_RATE 197       // float: learning rate
#define HEADER_WORDS 256      // indirect arguments follow

// A word of the device's optimiser state (optimizer_interface.h) that losses read as well: float,
// what gradients are multiplied with so that they stay within the range of 16-bit numbers.
#define STATE_COST_SCALE 8

// Whether a kernel adds to what is there.
#define ACCUMULATE_NO 0
#define ACCUMULATE_YES 1
#define ACCUMULATE_MICRO 2 // only when HEADER_MICRO is not 0

#endif
