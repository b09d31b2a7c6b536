// 16-bit floats: all 65,536 values there and back, and every rounding boundary between them.
#include "base/half.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

// The value by definition of a format with so many exponent and mantissa bits.
static double value_of(uint32_t bits, int num_exponent_bits, int num_mantissa_bits) {
    int exponent_max = (1 << num_exponent_bits) - 1, bias = exponent_max >> 1;
    int exponent = (int)(bits >> num_mantissa_bits) & exponent_max;
    int mantissa = (int)(bits & ((1u << num_mantissa_bits) - 1));
    double magnitude;
    if (exponent == exponent_max)
        magnitude = mantissa ? (double)NAN : (double)INFINITY;
    else if (exponent == 0)
        magnitude = ldexp(mantissa, 1 - bias - num_mantissa_bits);
    else
        magnitude = ldexp(mantissa + (1 << num_mantissa_bits), exponent - bias - num_mantissa_bits);
    return bits >> (num_exponent_bits + num_mantissa_bits) & 1 ? -magnitude : magnitude;
}

struct format {
    uint16_t (*from_float)(float);
    float (*to_float)(uint16_t);
    int num_exponent_bits, num_mantissa_bits;
    uint16_t infinity;
};

static const struct format half_format = {half_from_float, half_to_float, 5, 10, 0x7C00};
static const struct format bf16_format = {bf16_from_float, bf16_to_float, 8, 7, 0x7F80};

static void check_all_values(const struct format *format) {
    for (uint32_t bits = 0; bits < 65536; bits++) {
        double expected = value_of(bits, format->num_exponent_bits, format->num_mantissa_bits);
        float value = format->to_float((uint16_t)bits);
        assert_int_equal(signbit(value) != 0, bits >> 15);
        if (isnan(expected)) {
            uint16_t back = format->from_float(value);
            assert_true(isnan(value));
            assert_true(isnan(format->to_float(back)));
            assert_int_equal(back >> 15, bits >> 15);
        } else {
            assert_true((double)value == expected);
            assert_int_equal(format->from_float(value), bits);
        }
    }
}

// Between neighbours the middle goes to the even one, and its float neighbours to the nearer one.
static void check_all_boundaries(const struct format *format) {
    for (uint16_t low = 0; low < format->infinity; low++) {
        uint16_t high = (uint16_t)(low + 1), even = low & 1 ? high : low;
        double low_value = (double)format->to_float(low);
        double high_value = high == format->infinity // as if the exponent went on
                                ? 2 * low_value - (double)format->to_float((uint16_t)(low - 1))
                                : (double)format->to_float(high);
        float middle = (float)((low_value + high_value) / 2);
        assert_true((double)middle == (low_value + high_value) / 2);
        assert_int_equal(format->from_float(middle), even);
        assert_int_equal(format->from_float(-middle), even | 0x8000);
        assert_int_equal(format->from_float(nextafterf(middle, 0)), low);
        assert_int_equal(format->from_float(nextafterf(middle, INFINITY)), high);
    }
    assert_int_equal(format->from_float(INFINITY), format->infinity);
    assert_int_equal(format->from_float(-INFINITY), format->infinity | 0x8000);
}

static void every_half_survives_the_way_through_float(void **state) {
    (void)state;
    check_all_values(&half_format);
}

static void every_bf16_survives_the_way_through_float(void **state) {
    (void)state;
    check_all_values(&bf16_format);
}

static void half_rounds_to_nearest_even(void **state) {
    (void)state;
    check_all_boundaries(&half_format);
    assert_int_equal(half_from_float(65519.996f), 0x7BFF);
    assert_int_equal(half_from_float(65520.0f), 0x7C00);
    assert_int_equal(half_from_float(3.4e38f), 0x7C00);
    assert_int_equal(half_from_float(-1e-30f), 0x8000);
}

static void bf16_rounds_to_nearest_even(void **state) {
    (void)state;
    check_all_boundaries(&bf16_format);
}

static void nan_stays_nan(void **state) {
    (void)state;
    // The payload stands only in bits that are cut off.
    uint32_t bits = 0x7F800001;
    float nan_value;
    memcpy(&nan_value, &bits, sizeof nan_value);
    assert_true((half_from_float(nan_value) & 0x3FF) != 0);
    assert_true((bf16_from_float(nan_value) & 0x7F) != 0);
    assert_int_equal(bits_of(half_to_float(0xFC01)) >> 22, 0x3FF);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_survives_the_way_through_float),
        cmocka_unit_test(every_bf16_survives_the_way_through_float),
        cmocka_unit_test(half_rounds_to_nearest_even),
        cmocka_unit_test(bf16_rounds_to_nearest_even),
        cmocka_unit_test(nan_stays_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
