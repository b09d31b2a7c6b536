// Learning-rate schedules against their published formulas, written out again.
#include "train/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { WARMUP = 100, UPDATES = 1000 };

static const double PEAK = 2e-3;

static double rate(enum vks_schedule kind, uint32_t warmup, uint64_t update) {
    return schedule_rate(
        &(struct schedule){.kind = kind, .peak = PEAK, .warmup = warmup, .updates = UPDATES},
        update);
}

static void assert_near(double value, double expected) {
    assert_true(fabs(value - expected) <= 1e-12 * fabs(expected));
}

static void every_schedule_warms_up_in_a_line_to_its_peak(void **state) {
    (void)state;
    for (int kind = VKS_SCHEDULE_INVERSE_SQRT; kind <= VKS_SCHEDULE_CONSTANT; kind++) {
        assert_near(rate((enum vks_schedule)kind, WARMUP, 1), PEAK / WARMUP);
        assert_near(rate((enum vks_schedule)kind, WARMUP, 37), PEAK * 37 / WARMUP);
        assert_near(rate((enum vks_schedule)kind, WARMUP, WARMUP), PEAK);
    }
}

static void inverse_square_root_falls_for_ever(void **state) {
    (void)state;
    assert_near(rate(VKS_SCHEDULE_INVERSE_SQRT, WARMUP, 4 * WARMUP), PEAK / 2);
    assert_near(rate(VKS_SCHEDULE_INVERSE_SQRT, WARMUP, 100 * WARMUP), PEAK / 10);
    assert_near(rate(VKS_SCHEDULE_INVERSE_SQRT, 0, 77), PEAK);
}

static void linear_loses_the_same_with_each_update_and_never_stops(void **state) {
    (void)state;
    double step = PEAK / (UPDATES - WARMUP + 1);
    for (uint64_t update = WARMUP; update < UPDATES; update++)
        assert_true(fabs(rate(VKS_SCHEDULE_LINEAR, WARMUP, update) -
                         rate(VKS_SCHEDULE_LINEAR, WARMUP, update + 1) - step) < 1e-15);
    assert_true(fabs(rate(VKS_SCHEDULE_LINEAR, WARMUP, UPDATES) - step) < 1e-15);
    assert_near(rate(VKS_SCHEDULE_LINEAR, WARMUP, 5 * UPDATES),
                rate(VKS_SCHEDULE_LINEAR, WARMUP, UPDATES));
}

static void cosine_is_at_half_its_peak_half_way(void **state) {
    (void)state;
    uint64_t middle = WARMUP + (UPDATES - WARMUP) / 2;
    double before = rate(VKS_SCHEDULE_COSINE, WARMUP, middle);
    double after = rate(VKS_SCHEDULE_COSINE, WARMUP, middle + 1);
    assert_true(before > PEAK / 2 && after < PEAK / 2);
    assert_true(fabs(before + after - PEAK) < 1e-15);
    assert_true(rate(VKS_SCHEDULE_COSINE, WARMUP, UPDATES) > 0);
    assert_true(rate(VKS_SCHEDULE_COSINE, WARMUP, UPDATES) < 1e-5 * PEAK);
}

static void constant_stays(void **state) {
    (void)state;
    assert_near(rate(VKS_SCHEDULE_CONSTANT, WARMUP, 123456), PEAK);
    assert_near(rate(VKS_SCHEDULE_CONSTANT, 0, 1), PEAK);
}

static void default_warmup_is_a_tenth_and_at_most_2000(void **state) {
    (void)state;
    assert_int_equal(schedule_default_warmup(0), 2000);
    assert_int_equal(schedule_default_warmup(5), 1);
    assert_int_equal(schedule_default_warmup(3000), 300);
    assert_int_equal(schedule_default_warmup(1000000), 2000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_schedule_warms_up_in_a_line_to_its_peak),
        cmocka_unit_test(inverse_square_root_falls_for_ever),
        cmocka_unit_test(linear_loses_the_same_with_each_update_and_never_stops),
        cmocka_unit_test(cosine_is_at_half_its_peak_half_way),
        cmocka_unit_test(constant_stays),
        cmocka_unit_test(default_warmup_is_a_tenth_and_at_most_2000),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
