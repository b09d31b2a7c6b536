// Operators on matrices beyond the binding range, which they see in windows.
#include "base/check.h"
#include "ops/copy.h"
#include "ops/decoding.h"
#include "ops/log_probs.h"
#include "ops/output.h"
#include "selftest/cross_entropy_case.h"
#include "selftest/embedding_case.h"
#include "selftest/feed_forward_case.h"
#include "selftest/linear_case.h"
#include "selftest/optimizer_case.h"
#include "support/gpu.h"
#include "support/variants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

// Programs built from now on bind no more than this; returns what they bound before.
static uint64_t set_binding(struct vks_device *device, uint64_t bytes) {
    uint64_t before = device->info.max_binding_bytes;
    device->info.max_binding_bytes = bytes;
    return before;
}

static void assert_same_bits(const char *name, const struct matrix *a, const struct matrix *b) {
    assert_int_equal(a->rows, b->rows);
    assert_same_rows(name, a, 0, b);
}

static void embedding_in_windows_has_the_same_bits(void **state) {
    // Five windows on the table, two on the positions.
    struct embedding_case whole = {.capacity = 110,
                                   .rows = 101,
                                   .width = 36,
                                   .vocab = 500,
                                   .positions = 130,
                                   .scale = 2.0f,
                                   .dropout = 0.3f,
                                   .learned = true,
                                   .twice = true};
    struct embedding_case c = whole;
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    assert_int_equal(embedding_case_check(&check, 40, &whole), VKS_OK);
    uint64_t binding = set_binding(*state, 16 << 10);
    assert_int_equal(embedding_case_check(&check, 40, &c), VKS_OK);
    set_binding(*state, binding);
    assert_same_bits("x", c.x, whole.x);
    assert_same_bits("dtable", c.dtable, whole.dtable);
    assert_same_bits("dpositions", c.dposition_table, whole.dposition_table);
    assert_check(VKS_OK, &check);
}

static void linear_in_windows_has_the_same_bits(void **state) {
    // 50 KiB hold 640 rows of the weights; activations of 12 rows fit.
    const struct linear_shape shape = {12, 11, 19, 1039};
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {variants_seed(), 120, 0};
    struct linear_case whole;
    linear_case_make(&arena, &rng, &shape, &whole);
    variants_run(&h, linear_case_build, &whole);
    struct linear_case c = whole;
    c.y = matrix_like(&arena, c.y);
    c.dx = matrix_like(&arena, c.x);
    c.dweight = matrix_like(&arena, c.weight);
    c.dbias = matrix_like(&arena, c.bias);
    uint64_t binding = set_binding(*state, 50 << 10);
    variants_run(&h, linear_case_build, &c);
    set_binding(*state, binding);
    assert_same_bits("y", c.y, whole.y);
    assert_same_bits("dweight", c.dweight, whole.dweight);
    assert_same_bits("dbias", c.dbias, whole.dbias);
    // A sum over the weights' rows, window by window.
    struct matrix *dx = matrix_like(&arena, c.x);
    oracle_linear_gradient(c.x, c.weight, c.r, &(struct oracle_linear_gradient){.x = dx});
    assert_gradient("dx", c.dx, dx);
    arena_finish(&arena);
}

// Of rows 0, 777 and the last of a linear layer's dweight.
static void assert_gradient_rows(struct arena *arena, const struct linear_case *c) {
    const uint32_t rows[] = {0, 777, c->shape.outputs - 1};
    struct matrix *found = matrix_new(arena, COUNT_OF(rows), c->shape.inputs);
    struct matrix *sums = matrix_like(arena, found);
    for (uint32_t i = 0; i < COUNT_OF(rows); i++) {
        for (uint32_t col = 0; col < found->cols; col++) {
            AT(found, i, col) = AT(c->dweight, rows[i], col);
            for (uint32_t row = 0; row < c->shape.rows; row++)
                AT(sums, i, col) += AT(c->r, row, rows[i]) * AT(c->x, row, col);
        }
    }
    assert_gradient("dweight", found, sums);
}

static void gradient_of_large_slices_in_windows_has_the_same_bits(void **state) {
    // Two slices at most, for their size; 12 MiB hold those of 1,088 rows of the gradient's 1,400.
    const struct linear_shape shape = {2100, 2090, 1400, 1400};
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {variants_seed(), 121, 0};
    struct linear_case whole;
    linear_case_make(&arena, &rng, &shape, &whole);
    whole.has_bias = true;
    assert_int_equal(harness_run(&h, linear_case_build, &whole), VKS_OK);
    assert_gradient_rows(&arena, &whole);
    struct linear_case c = whole;
    c.dweight = matrix_like(&arena, c.dweight);
    c.dbias = matrix_like(&arena, c.dbias);
    uint64_t binding = set_binding(*state, 12 << 20);
    assert_int_equal(harness_run(&h, linear_case_build, &c), VKS_OK);
    set_binding(*state, binding);
    assert_same_bits("dweight", c.dweight, whole.dweight);
    assert_same_bits("dbias", c.dbias, whole.dbias);
    arena_finish(&arena);
}

static void feed_forward_in_windows_matches_the_oracle(void **state) {
    // 64 rows of either weight fit, and activations of 60.
    enum { WIDTH = 75, HIDDEN = 76, BINDING = 64 * HIDDEN * sizeof(float) };
    static const enum activation activations[] = {ACTIVATION_RELU, ACTIVATION_GELU,
                                                  ACTIVATION_SILU};
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    uint64_t binding = set_binding(*state, BINDING);
    for (uint32_t i = 0; i < COUNT_OF(activations); i++)
        assert_check(feed_forward_case_check(
                         &check, &(struct feed_forward_case_params){.activation = activations[i],
                                                                    .width = WIDTH,
                                                                    .hidden = HIDDEN,
                                                                    .dropout = 0.1f}),
                     &check);
    set_binding(*state, binding);
}

static void loss_in_windows_matches_the_oracle(void **state) {
    // 64 KiB hold 8 rows of the logits, and 448 of the weights' 2,003.
    struct loss_case cases[] = {{.capacity = 24,
                                 .rows = 21,
                                 .width = 36,
                                 .vocab = 2003,
                                 .pad = 2002,
                                 .has_bias = true,
                                 .smoothing = 0.1f},
                                {.capacity = 24,
                                 .rows = 21,
                                 .width = 36,
                                 .vocab = 2003,
                                 .pad = 450,
                                 .smoothing = 0.1f,
                                 .without_gradient = true}};
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    uint64_t binding = set_binding(*state, 64 << 10);
    for (uint32_t i = 0; i < COUNT_OF(cases); i++)
        assert_check(loss_case_check(&check, 70 + i, &cases[i]), &check);
    set_binding(*state, binding);
}

// With the same chunks, what a device binds changes neither losses nor the weights' gradient.
static void loss_in_windows_has_the_same_bits(void **state) {
    struct loss_case whole = {.capacity = 24,
                              .rows = 21,
                              .width = 36,
                              .vocab = 2003,
                              .pad = 2,
                              .chunk_rows = 8,
                              .has_bias = true,
                              .smoothing = 0.1f};
    struct loss_case c = whole;
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    assert_int_equal(loss_case_check(&check, 80, &whole), VKS_OK);
    uint64_t binding = set_binding(*state, 64 << 10);
    assert_int_equal(loss_case_check(&check, 80, &c), VKS_OK);
    set_binding(*state, binding);
    assert_same_bits("losses", c.losses, whole.losses);
    assert_same_bits("dweight", c.dweight, whole.dweight);
    assert_same_bits("dbias", c.dbias, whole.dbias);
    assert_check(VKS_OK, &check);
}

// A step's logits, 16 rows of which 64 KiB hold, as 512 of the weights'; and the best of them.
enum { STEP_ROWS = 37, STEP_VOCAB = 1005, STEP_WIDTH = 28, STEP_BEST = 5 };
enum { STEP_BEST_COLS = 2 * STEP_BEST };

struct step_case {
    struct matrix *h, *weight, *bias;
    uint32_t logits[STEP_ROWS * STEP_VOCAB];
    uint32_t best[STEP_ROWS * STEP_BEST_COLS];
    uint32_t log_sums[STEP_ROWS], log_probs[STEP_ROWS * STEP_VOCAB];
};

static void build_step(struct harness *h, void *user) {
    struct step_case *c = user;
    struct dim rows = harness_dim(h, STEP_ROWS + 3, STEP_ROWS);
    const struct output_params params = {.h = harness_leaf(h, rows, c->h, NULL),
                                         .weight = harness_parameter(h, c->weight, NULL),
                                         .bias = harness_parameter(h, c->bias, NULL)};
    struct tensor *logits = op_logits(h->graph, &params);
    harness_words(h, op_copy_out(h->graph, logits), c->logits, STEP_ROWS);
    harness_words(h, op_copy_out(h->graph, op_top_k(h->graph, logits, 3, STEP_BEST)), c->best,
                  STEP_ROWS);
    struct tensor *log_sums = op_log_sum_exp(h->graph, logits, 3);
    struct tensor *half = op_combine(h->graph, logits, log_sums, 0.5f, NULL);
    harness_words(h, op_copy_out(h->graph, log_sums), c->log_sums, STEP_ROWS);
    struct tensor *again = op_logits(h->graph, &params);
    struct tensor *sum = op_combine(h->graph, again, log_sums, 0.25f, half);
    harness_words(h, op_copy_out(h->graph, sum), c->log_probs, STEP_ROWS);
}

static void assert_logits(struct arena *arena, const struct step_case *c) {
    struct matrix *found = matrix_new(arena, STEP_ROWS, STEP_VOCAB);
    struct matrix *expected = matrix_like(arena, found);
    for (uint32_t row = 0; row < STEP_ROWS; row++) {
        for (uint32_t col = 0; col < STEP_VOCAB; col++) {
            float value;
            memcpy(&value, &c->logits[row * STEP_VOCAB + col], sizeof value);
            AT(found, row, col) = (double)value;
        }
    }
    oracle_linear(c->h, c->weight, c->bias, expected);
    assert_forward("logits", found, expected);
}

static void logits_and_the_best_in_windows_have_the_same_bits(void **state) {
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {variants_seed(), 90, 0};
    struct step_case whole = {.h = matrix_random(&arena, &rng, STEP_ROWS, STEP_WIDTH, 1),
                              .weight = matrix_random(&arena, &rng, STEP_VOCAB, STEP_WIDTH, 1),
                              .bias = matrix_random(&arena, &rng, 1, STEP_VOCAB, 1)};
    struct step_case c = whole;
    variants_run(&h, build_step, &whole);
    uint64_t binding = set_binding(*state, 64 << 10);
    variants_run(&h, build_step, &c);
    set_binding(*state, binding);
    assert_memory_equal(c.logits, whole.logits, sizeof c.logits);
    assert_memory_equal(c.best, whole.best, sizeof c.best);
    assert_memory_equal(c.log_sums, whole.log_sums, sizeof c.log_sums);
    assert_memory_equal(c.log_probs, whole.log_probs, sizeof c.log_probs);
    assert_logits(&arena, &c);
    arena_finish(&arena);
}

// An optimiser's step against the oracle; returns the gradients' norm, as a float's word.
static uint32_t update(struct vks_device *device) {
    struct arena arena = {0};
    struct check check = variants_check(device, &arena);
    struct update_case c;
    assert_int_equal(
        update_case_open(&check, &(struct update_case_kind){UPDATE_ADAM, 0.01f, 0.5f}, &c), VKS_OK);
    assert_int_equal(update_case_step_both(&c, 0.125f, 3.0f), VKS_OK);
    const uint32_t *report = program_output(c.program, 0, c.report);
    uint32_t norm = report[STATE_NORM];
    assert_check(update_case_compare(&c), &check);
    update_case_close(&c);
    return norm;
}

static void update_in_windows_matches_the_oracle_and_keeps_the_norm(void **state) {
    // 64 KiB are a block of the norm; 5,000 bytes are less than one.
    uint32_t norm = update(*state);
    uint64_t binding = set_binding(*state, 64 << 10);
    assert_int_equal(update(*state), norm);
    set_binding(*state, 5000);
    update(*state);
    set_binding(*state, binding);
}

static void tensor_that_takes_no_windows_is_refused(void **state) {
    struct vks_device *device = *state;
    const struct vks_log *log = device->log;
    struct graph *graph = NULL;
    struct program *program = NULL;
    assert_int_equal(graph_create(device, &graph), VKS_OK);
    op_sum(graph, graph_input(graph, graph_dim(graph, 1001), 1));
    device->log = NULL;
    uint64_t binding = set_binding(device, 4000);
    assert_int_equal(program_create(&graph, &(struct program_params){0}, &program),
                     VKS_ERR_UNSUPPORTED);
    assert_null(program);
    set_binding(device, binding);
    device->log = log;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(embedding_in_windows_has_the_same_bits),
        cmocka_unit_test(linear_in_windows_has_the_same_bits),
        cmocka_unit_test(gradient_of_large_slices_in_windows_has_the_same_bits),
        cmocka_unit_test(feed_forward_in_windows_matches_the_oracle),
        cmocka_unit_test(loss_in_windows_matches_the_oracle),
        cmocka_unit_test(loss_in_windows_has_the_same_bits),
        cmocka_unit_test(logits_and_the_best_in_windows_have_the_same_bits),
        cmocka_unit_test(update_in_windows_matches_the_oracle_and_keeps_the_norm),
        cmocka_unit_test(tensor_that_takes_no_windows_is_refused),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
