// Buffers, the batch header and push constants. Before including this, define PUSH as the
// operator's push-constant struct. A buffer is either a descriptor or, where the device has
// buffer_device_address and USE_ADDRESS is defined, an address from the push constants; both are
// read as name.data[i]. With READ_TEXELS, matrices that are only read are texel buffers.
#extension GL_GOOGLE_include_directive : require
#include "lib/shared.h"
#include "lib/half.glsl"

layout(constant_id = SPEC_ELEMENTS) const uint ELEMENTS = 0;
#define ELEMENT_OF(slot) (ELEMENTS >> 2 * (slot)&3)

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

// A matrix of rows of vec4: LOAD4(name, idx), STORE4(name, idx, value), whatever its elements are.
// By address the four floats move as two 64-bit numbers, four halves as one, and as texels they
// come in one piece: less work for software drivers, where each lane's loads and stores are
// separate. One invocation owns four halves, so no device needs 16-bit storage.
#ifdef USE_ADDRESS
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#define MATRIX_TYPE u64vec2
#define HALVES_TYPE uint64_t
#define FROM_HALVES(element) unpackUint2x32(element)
#define TO_HALVES(words) packUint2x32(words)

vec4 unpack4(u64vec2 pairs) {
    return vec4(uintBitsToFloat(unpackUint2x32(pairs.x)), uintBitsToFloat(unpackUint2x32(pairs.y)));
}

u64vec2 pack4(vec4 v) {
    return u64vec2(packUint2x32(floatBitsToUint(v.xy)), packUint2x32(floatBitsToUint(v.zw)));
}

#define FROM_MATRIX(element) unpack4(element)
#define TO_MATRIX(value) pack4(value)
#else
#define MATRIX_TYPE vec4
#define FROM_MATRIX(element) (element)
#define TO_MATRIX(value) (value)
#define HALVES_TYPE uvec2
#define FROM_HALVES(element) (element)
#define TO_HALVES(words) (words)
#endif

#define LOAD4(name, idx) name##_at(idx)
#define STORE4(name, idx, value) name##_put(idx, value)

// The same memory under two names, of which a pipeline uses one.
#define BIND_ELEMENTS(access, slot, name)                                                          \
    BIND(access, slot, MATRIX_TYPE, 16, name);                                                     \
    BIND(access, slot, HALVES_TYPE, 8, name##_halves)
#define LOADABLE(slot, name, fetch)                                                                \
    vec4 name##_at(uint idx) {                                                                     \
        if (fetch##_HALVES(slot))                                                                  \
            return unpack_halves(FROM_HALVES(name##_halves.data[idx]), ELEMENT_OF(slot));          \
        return fetch(name, idx);                                                                   \
    }                                                                                              \
    vec4 name##_at(uint idx)
#define STORABLE(slot, name)                                                                       \
    void name##_put(uint idx, vec4 elements) {                                                     \
        if (ELEMENT_OF(slot) != ELEMENT_F32)                                                       \
            name##_halves.data[idx] = TO_HALVES(pack_halves(elements, ELEMENT_OF(slot)));          \
        else                                                                                       \
            name.data[idx] = TO_MATRIX(elements);                                                  \
    }                                                                                              \
    void name##_put(uint idx, vec4 elements)
#define FETCH(name, idx) FROM_MATRIX(name.data[idx])
#define FETCH_HALVES(slot) (ELEMENT_OF(slot) != ELEMENT_F32)
// Texels may have elements of 16 bits, but no bfloat16.
#define FETCH_TEXEL(name, idx) texelFetch(name, int(idx))
#define FETCH_TEXEL_HALVES(slot) (ELEMENT_OF(slot) == ELEMENT_BF16)

#ifdef READ_TEXELS
#define BIND_MATRIX(slot, name)                                                                    \
    layout(set = 0, binding = slot) uniform textureBuffer name;                                    \
    BIND(readonly restrict, slot, HALVES_TYPE, 8, name##_halves);                                  \
    LOADABLE(slot, name, FETCH_TEXEL)
#else
#define BIND_MATRIX(slot, name)                                                                    \
    BIND_ELEMENTS(readonly restrict, slot, name);                                                  \
    LOADABLE(slot, name, FETCH)
#endif
#define BIND_MATRIX_WRITE(slot, name)                                                              \
    BIND_ELEMENTS(writeonly restrict, slot, name);                                                 \
    STORABLE(slot, name)
#define BIND_MATRIX_UPDATE(slot, name)                                                             \
    BIND_ELEMENTS(restrict, slot, name);                                                           \
    LOADABLE(slot, name, FETCH);                                                                   \
    STORABLE(slot, name)

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
