// Buffers, the batch header and push constants. Before including this, define PUSH as the
// operator's push-constant struct. A buffer is either a descriptor or, where the device has
// buffer_device_address and USE_ADDRESS is defined, an address from the push constants; both are
// read as name.data[i]. With READ_TEXELS, matrices that are only read are texel buffers.
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

// The index, kept below the end of its loop. lavapipe of Mesa 26 runs a loop's body once more with
// no invocation active, and then still loads what all invocations have in common: beyond the
// buffer.
uint below(uint idx, uint end) {
    return min(idx, end - 1);
}

// A matrix of rows of vec4: LOAD4(name, idx), STORE4(name, idx, value). By address the four floats
// move as two 64-bit numbers, and as texels they come in one piece: less work for software drivers,
// where each lane's loads and stores are separate.
#ifdef USE_ADDRESS
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#define MATRIX_TYPE u64vec2

vec4 unpack4(u64vec2 pairs) {
    return vec4(uintBitsToFloat(unpackUint2x32(pairs.x)), uintBitsToFloat(unpackUint2x32(pairs.y)));
}

u64vec2 pack4(vec4 v) {
    return u64vec2(packUint2x32(floatBitsToUint(v.xy)), packUint2x32(floatBitsToUint(v.zw)));
}

#define FROM_MATRIX(element) unpack4(element)
#define STORE4(name, idx, value) name.data[idx] = pack4(value)
#else
#define MATRIX_TYPE vec4
#define FROM_MATRIX(element) (element)
#define STORE4(name, idx, value) name.data[idx] = value
#endif

#define LOAD4(name, idx) name##_at(idx)
#define LOADABLE(name, expression)                                                                 \
    vec4 name##_at(uint idx) {                                                                     \
        return expression;                                                                         \
    }                                                                                              \
    vec4 name##_at(uint idx)

#ifdef READ_TEXELS
#define BIND_MATRIX(slot, name)                                                                    \
    layout(set = 0, binding = slot) uniform textureBuffer name;                                    \
    LOADABLE(name, texelFetch(name, int(idx)))
#else
#define BIND_MATRIX(slot, name)                                                                    \
    BIND(readonly restrict, slot, MATRIX_TYPE, 16, name);                                          \
    LOADABLE(name, FROM_MATRIX(name.data[idx]))
#endif
#define BIND_MATRIX_WRITE(slot, name) BIND(writeonly restrict, slot, MATRIX_TYPE, 16, name)
#define BIND_MATRIX_UPDATE(slot, name)                                                             \
    BIND(restrict, slot, MATRIX_TYPE, 16, name);                                                   \
    LOADABLE(name, FROM_MATRIX(name.data[idx]))

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
