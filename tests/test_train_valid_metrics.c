// Validation metrics: which value is better, the best so far, and when training stops early.
#include "train/valid_metrics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct valid_metrics select_names(const char *const *names, uint32_t num) {
    struct valid_metrics metrics = {.num = 0};
    assert_int_equal(valid_metrics_select(&metrics, names, num, NULL), VKS_OK);
    return metrics;
}

static void costs_give_marians_figures(void **state) {
    const struct valid_costs costs = {.sum = 60, .num_tokens = 20, .num_sentences = 4};
    double value;
    (void)state;
    assert_true(valid_metric_of_costs("cross-entropy", &costs, &value) && value == 15);
    assert_true(valid_metric_of_costs("ce-mean-words", &costs, &value) && value == 3);
    assert_true(valid_metric_of_costs("perplexity", &costs, &value) && value == exp(3));
    assert_false(valid_metric_of_costs("bleu", &costs, &value));
}

static void costs_fall_and_scores_rise(void **state) {
    static const char *const names[] = {"perplexity", "bleu"};
    struct valid_metrics metrics = select_names(names, 2);
    struct valid_metric *cost = &metrics.items[0], *score = &metrics.items[1];
    (void)state;
    assert_true(valid_metric_note(cost, 5, 0) && valid_metric_note(score, 5, 0));
    assert_true(valid_metric_note(cost, 4, 0) && !valid_metric_note(score, 4, 0));
    assert_true(!valid_metric_note(cost, 6, 0) && valid_metric_note(score, 6, 0));
    assert_true(cost->best == 4 && score->best == 6);
    assert_true(!valid_metric_note(cost, 4, 0) && !valid_metric_note(cost, (double)NAN, 0));
    assert_int_equal(cost->num_stalled, 3);
    assert_int_equal(score->num_stalled, 0);
}

static void a_new_best_gains_more_than_epsilon(void **state) {
    static const char *const names[] = {"ce-mean-words"};
    struct valid_metrics metrics = select_names(names, 1);
    (void)state;
    assert_true(valid_metric_note(&metrics.items[0], 5, 0.5));
    assert_false(valid_metric_note(&metrics.items[0], 4.5, 0.5));
    assert_true(valid_metric_note(&metrics.items[0], 4.25, 0.5));
}

static void training_stops_on_first_all_or_any(void **state) {
    static const char *const names[] = {"perplexity", "bleu", "translation"};
    struct valid_metrics metrics = select_names(names, 3); // the last never has a figure
    (void)state;
    valid_metric_note(&metrics.items[0], 5, 0);
    valid_metric_note(&metrics.items[1], 5, 0);
    valid_metric_note(&metrics.items[1], 4, 0);
    valid_metric_note(&metrics.items[1], 4, 0);
    assert_true(valid_metrics_are_stalled(&metrics, 2, VKS_EARLY_STOPPING_ON_ANY));
    assert_false(valid_metrics_are_stalled(&metrics, 3, VKS_EARLY_STOPPING_ON_ANY));
    assert_false(valid_metrics_are_stalled(&metrics, 0, VKS_EARLY_STOPPING_ON_ANY));
    assert_false(valid_metrics_are_stalled(&metrics, 2, VKS_EARLY_STOPPING_ON_FIRST));
    assert_false(valid_metrics_are_stalled(&metrics, 2, VKS_EARLY_STOPPING_ON_ALL));
    assert_int_equal(valid_metrics_num_stalled(&metrics, VKS_EARLY_STOPPING_ON_ANY), 2);
    assert_int_equal(valid_metrics_num_stalled(&metrics, VKS_EARLY_STOPPING_ON_ALL), 0);
    for (int i = 0; i < 3; i++)
        valid_metric_note(&metrics.items[0], 6, 0);
    assert_int_equal(valid_metrics_num_stalled(&metrics, VKS_EARLY_STOPPING_ON_FIRST), 3);
    assert_int_equal(valid_metrics_num_stalled(&metrics, VKS_EARLY_STOPPING_ON_ALL), 2);
    assert_true(valid_metrics_are_stalled(&metrics, 2, VKS_EARLY_STOPPING_ON_FIRST));
    assert_true(valid_metrics_are_stalled(&metrics, 2, VKS_EARLY_STOPPING_ON_ALL));
}

static void selecting_keeps_what_is_known(void **state) {
    static const char *const before[] = {"bleu", "perplexity"}, *const after[] = {"chrf", "bleu"};
    struct valid_metrics metrics = select_names(before, 2);
    (void)state;
    valid_metric_note(&metrics.items[0], 7, 0);
    assert_int_equal(valid_metrics_select(&metrics, after, 2, NULL), VKS_OK);
    assert_string_equal(metrics.items[1].name, "bleu");
    assert_true(metrics.items[1].has_best && metrics.items[1].best == 7);
    assert_false(metrics.items[0].has_best);
}

static void names_that_do_not_fit_are_refused(void **state) {
    static const char *const many[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
    static const char *const longer[] = {"abcdefghijklmnopqrstuvwxyz012345"}, *const none[] = {""};
    struct valid_metrics metrics = select_names(many, 2);
    (void)state;
    assert_int_equal(valid_metrics_select(&metrics, many, 9, NULL), VKS_ERR_ARGUMENT);
    assert_int_equal(valid_metrics_select(&metrics, longer, 1, NULL), VKS_ERR_ARGUMENT);
    assert_int_equal(valid_metrics_select(&metrics, none, 1, NULL), VKS_ERR_ARGUMENT);
    assert_int_equal(metrics.num, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(costs_give_marians_figures),
        cmocka_unit_test(costs_fall_and_scores_rise),
        cmocka_unit_test(a_new_best_gains_more_than_epsilon),
        cmocka_unit_test(training_stops_on_first_all_or_any),
        cmocka_unit_test(selecting_keeps_what_is_known),
        cmocka_unit_test(names_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
