// 16-bit floating-point numbers as bit patterns, in memory and in files.
//
// Rounding is to the nearest value, ties to even; what is too large becomes infinity; subnormal
// numbers are kept; a NaN stays a (quiet) NaN of the same sign.
#ifndef BASE_HALF_H
#define BASE_HALF_H

#include <stdint.h>

// IEEE 754 binary16.
uint16_t half_from_float(float value);
float half_to_float(uint16_t half);

// The upper half of a binary32.
uint16_t bf16_from_float(float value);
float bf16_to_float(uint16_t bf16);

#endif
