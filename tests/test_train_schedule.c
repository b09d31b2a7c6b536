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

static struct vks_trainer_params decaying(enum vks_lr_decay strategy, uint32_t start,
                                          uint32_t second) {
    struct vks_trainer_params params;
    vks_trainer_defaults(&params);
    params.lr_decay = 0.5f;
    params.lr_decay_strategy = strategy;
    params.lr_decay_start[0] = start;
    params.lr_decay_start[1] = second;
    params.lr_decay_freq = 10;
    return params;
}

static void rate_decays_after_updates(void **state) {
    const struct vks_trainer_params params = decaying(VKS_LR_DECAY_BATCHES, 25, 1);
    struct rate_decay decay = {.factor = 1};
    (void)state;
    for (uint64_t update = 1; update <= 50; update++) {
        bool is_due = update == 25 || update == 35 || update == 45;
        assert_int_equal(rate_decay_after_update(&params, update, &decay), is_due);
        assert_false(rate_decay_before_epoch(&params, update, update, &decay));
        assert_false(rate_decay_after_validation(&params, update, update, &decay));
    }
    assert_true(decay.factor == 0.125);
}

static void rate_decays_before_epochs(void **state) {
    const struct vks_trainer_params params = decaying(VKS_LR_DECAY_EPOCH, 3, 1);
    struct rate_decay decay = {.factor = 1};
    (void)state;
    for (uint64_t epoch = 2; epoch <= 5; epoch++) {
        assert_int_equal(rate_decay_before_epoch(&params, epoch, 100 * epoch, &decay), epoch >= 3);
        assert_false(rate_decay_after_update(&params, 100 * epoch, &decay));
        assert_false(rate_decay_after_validation(&params, epoch, 100 * epoch, &decay));
    }
    assert_true(decay.factor == 0.125);
}

static void rate_decays_when_validation_has_stalled(void **state) {
    const struct vks_trainer_params params = decaying(VKS_LR_DECAY_STALLED, 2, 1);
    struct rate_decay decay = {.factor = 1};
    (void)state;
    for (uint64_t stalled = 1; stalled <= 5; stalled++)
        assert_int_equal(rate_decay_after_validation(&params, stalled, 9, &decay),
                         stalled == 2 || stalled == 4);
    assert_false(rate_decay_before_epoch(&params, 20, 9, &decay));
    assert_true(decay.factor == 0.25);
}

static void strategies_of_two_decay_before_epochs_once_either_is_reached(void **state) {
    struct vks_trainer_params params = decaying(VKS_LR_DECAY_EPOCH_BATCHES, 10, 250);
    struct rate_decay decay = {.factor = 1};
    (void)state;
    for (uint64_t epoch = 2; epoch <= 4; epoch++)
        assert_int_equal(rate_decay_before_epoch(&params, epoch, 100 * epoch, &decay), epoch >= 3);
    params = decaying(VKS_LR_DECAY_EPOCH_STALLED, 10, 2);
    assert_false(rate_decay_after_validation(&params, 1, 9, &decay));
    assert_false(rate_decay_before_epoch(&params, 2, 200, &decay));
    assert_false(rate_decay_after_validation(&params, 2, 9, &decay));
    assert_false(rate_decay_after_validation(&params, 1, 9, &decay)); // after a new best
    assert_true(rate_decay_before_epoch(&params, 3, 300, &decay));
    assert_true(rate_decay_before_epoch(&params, 11, 300, &decay));
}

static void without_a_decay_the_rate_is_the_schedules(void **state) {
    struct vks_trainer_params params = decaying(VKS_LR_DECAY_EPOCH, 1, 1);
    const struct schedule schedule = {.peak = PEAK, .warmup = WARMUP};
    struct rate_decay decay = {.factor = 1};
    (void)state;
    params.lr_decay = 0;
    assert_false(rate_decay_before_epoch(&params, 5, 5, &decay));
    for (uint64_t update = 1; update < 3 * WARMUP; update += 7)
        assert_true(schedule_decayed_rate(&schedule, &decay, update) ==
                    schedule_rate(&schedule, update));
}

static void warmup_is_repeated_after_a_decay(void **state) {
    struct vks_trainer_params params = decaying(VKS_LR_DECAY_EPOCH, 1, 1);
    const struct schedule schedule = {
        .kind = VKS_SCHEDULE_CONSTANT, .peak = PEAK, .warmup = WARMUP};
    struct rate_decay decay = {.factor = 1};
    (void)state;
    params.lr_decay_repeat_warmup = true;
    assert_true(rate_decay_before_epoch(&params, 1, 500, &decay));
    assert_near(schedule_decayed_rate(&schedule, &decay, 501), 0.5 * PEAK / WARMUP);
    assert_near(schedule_decayed_rate(&schedule, &decay, 500 + WARMUP / 2), 0.25 * PEAK);
    assert_near(schedule_decayed_rate(&schedule, &decay, 500 + WARMUP), 0.5 * PEAK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_schedule_warms_up_in_a_line_to_its_peak),
        cmocka_unit_test(inverse_square_root_falls_for_ever),
        cmocka_unit_test(linear_loses_the_same_with_each_update_and_never_stops),
        cmocka_unit_test(cosine_is_at_half_its_peak_half_way),
        cmocka_unit_test(constant_stays),
        cmocka_unit_test(rate_decays_after_updates),
        cmocka_unit_test(rate_decays_before_epochs),
        cmocka_unit_test(rate_decays_when_validation_has_stalled),
        cmocka_unit_test(strategies_of_two_decay_before_epochs_once_either_is_reached),
        cmocka_unit_test(without_a_decay_the_rate_is_the_schedules),
        cmocka_unit_test(warmup_is_repeated_after_a_decay),
        cmocka_unit_test(default_warmup_is_a_tenth_and_at_most_2000),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
