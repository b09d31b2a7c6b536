#include "base/half.h"

#include <string.h>

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// bits / 2^shift, rounded to nearest, ties to even; 0 < shift < 32.
static uint32_t shift_rounded(uint32_t bits, uint32_t shift) {
    uint32_t kept = bits >> shift, lost = bits & ((1u << shift) - 1), middle = 1u << (shift - 1);
    return kept + (lost > middle || (lost == middle && (kept & 1)));
}

uint16_t half_from_float(float value) {
    uint32_t bits = bits_of(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7FFFFFFF;
    uint32_t half;
    if (magnitude > 0x7F800000) { // NaN
        half = 0x7E00 | (magnitude >> 13 & 0x3FF);
    } else if (magnitude >= 0x47800000) { // 2^16 and more
        half = 0x7C00;
    } else if (magnitude >= 0x38800000) { // normal: 2^-14 and more; the carry may reach infinity
        half = shift_rounded(magnitude - (112u << 23), 13);
    } else if (magnitude >= 0x33000000) { // subnormal: in units of 2^-24, from half a unit on
        uint32_t exponent = magnitude >> 23;
        half = shift_rounded((magnitude & 0x7FFFFF) | 0x800000, 126 - exponent);
    } else {
        half = 0;
    }
    return (uint16_t)(sign | half);
}

float half_to_float(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, magnitude = half & 0x7FFF;
    if (magnitude > 0x7C00)
        return float_of(sign | 0x7FC00000 | magnitude << 13);
    if (magnitude == 0x7C00)
        return float_of(sign | 0x7F800000);
    if (magnitude >= 0x400)
        return float_of(sign | ((magnitude << 13) + (112u << 23)));
    float subnormal = (float)magnitude * 0x1p-24f;
    return float_of(sign | bits_of(subnormal));
}

uint16_t bf16_from_float(float value) {
    uint32_t bits = bits_of(value);
    if ((bits & 0x7FFFFFFF) > 0x7F800000)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)shift_rounded(bits, 16);
}

float bf16_to_float(uint16_t bf16) {
    return float_of((uint32_t)bf16 << 16);
}
