// The output projection and its loss, and the best symbols, against the oracle.
#include "base/check.h"
#include "ops/decoding.h"
#include "ops/output.h"
#include "selftest/cross_entropy_case.h"
#include "selftest/logits_case.h"
#include "selftest/top_k_case.h"
#include "support/gpu.h"
#include "support/variants.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check(struct vks_device *device, struct loss_case *c, uint32_t stream) {
    struct arena arena = {0};
    struct check check = variants_check(device, &arena);
    assert_check(loss_case_check(&check, stream, c), &check);
}

static void loss_and_gradients_match_the_oracle(void **state) {
    struct loss_case cases[] = {
        {.capacity = 64, .rows = 1, .width = 8, .vocab = 7, .pad = 0},
        {.capacity = 64,
         .rows = 37,
         .width = 20,
         .vocab = 101,
         .pad = 3,
         .has_bias = true,
         .smoothing = 0.1f},
        {.capacity = 100,
         .rows = 100,
         .width = 36,
         .vocab = 1030,
         .pad = 1029,
         .smoothing = 0.1f,
         .loss_scale = 128.0f},
        {.capacity = 40,
         .rows = 21,
         .width = 12,
         .vocab = 64,
         .pad = CROSS_ENTROPY_NO_PAD,
         .has_bias = true},
        {.capacity = 40, .rows = 0, .width = 12, .vocab = 64, .pad = 0},
        {.capacity = 2400, // three slices of rows
         .rows = 2100,
         .width = 12,
         .vocab = 53,
         .pad = 2,
         .has_bias = true},
    };
    for (uint32_t i = 0; i < COUNT_OF(cases); i++)
        check(*state, &cases[i], i);
}

static void chunks_add_up_and_may_be_empty(void **state) {
    // Chunks of 32: two full ones and a part, of eight; then of 64, the last ones of no row.
    struct loss_case cases[] = {
        {.capacity = 256,
         .rows = 75,
         .width = 12,
         .vocab = 53,
         .pad = 2,
         .chunk_rows = 32,
         .has_bias = true,
         .smoothing = 0.1f},
        {.capacity = 252,
         .rows = 64,
         .width = 12,
         .vocab = 53,
         .pad = 2,
         .chunk_rows = 70,
         .has_bias = true,
         .smoothing = 0.1f},
        {.capacity = 32,
         .rows = 29,
         .width = 12,
         .vocab = 53,
         .pad = 2,
         .chunk_rows = 5,
         .has_bias = true,
         .smoothing = 0.1f},
    };
    for (uint32_t i = 0; i < COUNT_OF(cases); i++)
        check(*state, &cases[i], 10 + i);
}

static void loss_without_gradient_is_the_same(void **state) {
    struct loss_case c = {.capacity = 96,
                          .rows = 50,
                          .width = 20,
                          .vocab = 101,
                          .pad = 3,
                          .chunk_rows = 32,
                          .smoothing = 0.2f,
                          .without_gradient = true};
    check(*state, &c, 20);
}

static void weights_multiply_loss_and_gradients(void **state) {
    struct loss_case cases[] = {
        {.capacity = 64,
         .rows = 37,
         .width = 20,
         .vocab = 101,
         .pad = 3,
         .has_bias = true,
         .weighted = true,
         .smoothing = 0.1f,
         .loss_scale = 8.0f},
        {.capacity = 96,
         .rows = 75,
         .width = 12,
         .vocab = 53,
         .pad = 2,
         .chunk_rows = 32,
         .weighted = true},
    };
    for (uint32_t i = 0; i < COUNT_OF(cases); i++)
        check(*state, &cases[i], 25 + i);
}

static void row_alone_has_the_same_loss_bits(void **state) {
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {variants_seed(), 30, 0};
    struct loss_case c = {.capacity = 64,
                          .rows = 37,
                          .width = 20,
                          .vocab = 101,
                          .pad = 3,
                          .has_bias = true,
                          .smoothing = 0.1f};
    loss_case_make(&arena, &rng, &c);
    variants_run(&h, loss_case_build, &c);
    struct loss_case alone = c;
    alone.capacity = 4;
    alone.rows = 1;
    loss_case_make(&arena, &rng, &alone);
    alone.weight = c.weight;
    alone.bias = c.bias;
    memcpy(alone.h->v, &AT(c.h, 33, 0), c.width * sizeof(double));
    alone.labels[0] = c.labels[33];
    variants_run(&h, loss_case_build, &alone);
    assert_same_rows("losses", c.losses, 33, alone.losses);
    assert_same_rows("dh", c.dh, 33, alone.dh);
    arena_finish(&arena);
}

static void tensor_with_two_losses_is_rejected(void **state) {
    struct vks_device *device = *state;
    const struct vks_log *log = device->log;
    struct graph *graph = NULL;
    assert_int_equal(graph_create(device, &graph), VKS_OK);
    struct dim rows = graph_dim(graph, 8);
    const struct cross_entropy_params params = {
        .output = {.h = graph_activation(graph, rows, 8),
                   .weight = graph_activation(graph, graph_dim_fixed(graph, 12), 8)},
        .labels = graph_input(graph, rows, 1),
        .with_gradient = true,
    };
    params.output.h->needs_grad = true;
    device->log = NULL;
    assert_non_null(op_cross_entropy(graph, &params));
    assert_null(op_cross_entropy(graph, &params));
    assert_int_equal(graph->status, VKS_ERR_UNSUPPORTED);
    device->log = log;
    graph_destroy(&graph);
}

static void logits_match_the_oracle(void **state) {
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    assert_check(logits_case_check(&check), &check);
}

static void best_symbols_match_the_oracle(void **state) {
    static const uint32_t shapes[][2] = {{101, 5}, {5, 8}, {3, 1}, {8193, 6}, {20003, 12}};
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    for (uint32_t i = 0; i < COUNT_OF(shapes); i++) {
        struct rng rng = {check.seed, 50 + i, 0};
        struct top_k_case c = {.logits = matrix_random(&arena, &rng, 4, shapes[i][0], 3),
                               .pad = shapes[i][0] / 2,
                               .k = shapes[i][1]};
        assert_check(top_k_case_check(&check, &c), &check);
    }
}

static void equal_logits_are_taken_by_id(void **state) {
    struct arena arena = {0};
    struct check check = variants_check(*state, &arena);
    struct rng rng = {check.seed, 60, 0};
    struct top_k_case c = {.logits = matrix_new(&arena, 3, 333), .pad = 4, .k = 9};
    for (size_t i = 0; i < 333; i++) {
        c.logits->v[i] = 1.5;
        c.logits->v[333 + i] = rng_below(&rng, 4);
        c.logits->v[666 + i] = i == 4 ? 100 : (double)-2e38f; // only the pad is likely
    }
    assert_check(top_k_case_check(&check, &c), &check);
}

static void impossible_symbols_are_not_taken(void **state) {
    struct arena arena = {0};
    struct top_k_case c = {.logits = matrix_new(&arena, 1, 40), .pad = 0, .k = 4};
    for (size_t i = 0; i < 40; i++)
        c.logits->v[i] = i == 7 || i == 30 ? (double)i : -(double)HUGE_VALF;
    c.best = calloc(top_k_case_stride(&c), sizeof *c.best);
    assert_non_null(c.best);
    struct harness h = {.device = *state};
    variants_run(&h, top_k_case_build, &c);
    const uint32_t ids[] = {30, 7, UINT32_MAX, UINT32_MAX};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(c.best[2 * i + 1], ids[i]);
    free(c.best);
    arena_finish(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_and_gradients_match_the_oracle),
        cmocka_unit_test(chunks_add_up_and_may_be_empty),
        cmocka_unit_test(loss_without_gradient_is_the_same),
        cmocka_unit_test(weights_multiply_loss_and_gradients),
        cmocka_unit_test(row_alone_has_the_same_loss_bits),
        cmocka_unit_test(tensor_with_two_losses_is_rejected),
        cmocka_unit_test(logits_match_the_oracle),
        cmocka_unit_test(best_symbols_match_the_oracle),
        cmocka_unit_test(equal_logits_are_taken_by_id),
        cmocka_unit_test(impossible_symbols_are_not_taken),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
