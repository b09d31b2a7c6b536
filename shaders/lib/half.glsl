// Four numbers of 16 bits in two words: float16, or bfloat16 (the upper half of a float).

// Rounded to the nearest, ties to even, on every device: packHalf2x16 may round otherwise, but what
// it is given has no more bits than it keeps, apart from numbers under 2^-14.
vec2 round_to_half(vec2 v) {
    const uvec2 bits = floatBitsToUint(v);
    const vec2 near = uintBitsToFloat(bits + 0xFFFu + (bits >> 13 & 1u) & ~0x1FFFu);
    const vec2 limited = mix(near, sign(v) * (1.0 / 0.0), greaterThanEqual(abs(v), vec2(65520.0)));
    return mix(limited, v, isnan(v));
}

uint pack_bfloats(vec2 v) {
    const uvec2 bits = floatBitsToUint(v);
    const uvec2 near = bits + 0x7FFFu + (bits >> 16 & 1u) >> 16;
    const uvec2 upper = uvec2(isnan(v.x) ? 0x7FC0u : near.x, isnan(v.y) ? 0x7FC0u : near.y);
    return upper.x | upper.y << 16;
}

vec4 unpack_halves(uvec2 words, uint element) {
    if (element == ELEMENT_BF16)
        return uintBitsToFloat(
            uvec4(words.x << 16, words.x & 0xFFFF0000u, words.y << 16, words.y & 0xFFFF0000u));
    return vec4(unpackHalf2x16(words.x), unpackHalf2x16(words.y));
}

uvec2 pack_halves(vec4 v, uint element) {
    if (element == ELEMENT_BF16)
        return uvec2(pack_bfloats(v.xy), pack_bfloats(v.zw));
    return uvec2(packHalf2x16(round_to_half(v.xy)), packHalf2x16(round_to_half(v.zw)));
}
