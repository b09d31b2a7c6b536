// Buffers, the batch header and push constants. Before including this, define PUSH as the
// operator's push-constant struct. A buffer is either a descriptor or, where the device has
// buffer_device_address and USE_ADDRESS is defined, an address from the push constants; both are
// read as name.data[i].
#extension GL_GOOGLE_include_directive : require
#include "lib/shared.h"

#ifdef USE_ADDRESS
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
layout(push_constant, std430) uniform push_block {
    layout(offset = 0) PUSH p;
    layout(offset = PUSH_STRUCT_BYTES) uvec2 buffer_address[MAX_BINDINGS];
};
#define BIND(access, slot, type, align, name)                                                      \
    layout(buffer_reference, std430, buffer_reference_align = align) access buffer name##_block {  \
        type data[];                                                                               \
    };                                                                                             \
    name##_block name = name##_block(buffer_address[slot])
#else
layout(push_constant, std430) uniform push_block {
    PUSH p;
};
#define BIND(access, slot, type, align, name)                                                      \
    layout(set = 0, binding = slot, std430) access buffer name##_block {                           \
        type data[];                                                                               \
    }                                                                                              \
    name
#endif

#define BIND_READ(slot, type, align, name) BIND(readonly restrict, slot, type, align, name)
#define BIND_WRITE(slot, type, align, name) BIND(writeonly restrict, slot, type, align, name)
#define BIND_UPDATE(slot, type, align, name) BIND(restrict, slot, type, align, name)

BIND_READ(0, uint, 4, header);

uint header_dim(uint idx) {
    return header.data[HEADER_DIMS + idx];
}

float header_float(uint word) {
    return uintBitsToFloat(header.data[word]);
}

// Whether a kernel with this ACCUMULATE_ mode adds to what is there.
bool accumulates(uint mode) {
    return mode == ACCUMULATE_YES || (mode == ACCUMULATE_MICRO && header.data[HEADER_MICRO] != 0);
}
