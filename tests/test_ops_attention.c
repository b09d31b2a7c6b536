// Attention against the oracle.
#include "base/check.h"
#include "ops/attention.h"
#include "selftest/attention_case.h"
#include "support/gpu.h"
#include "support/variants.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void check(struct vks_device *device, const uint32_t (*lengths)[2], struct attention_case *c,
                  uint32_t stream) {
    struct arena arena = {0};
    struct check check = variants_check(device, &arena);
    assert_check(attention_case_check(&check, stream, lengths, c), &check);
}

// One row, a block, one past it, more than a wave of keys, one row beside many.
static const uint32_t self_lengths[][2] = {{1, 0}, {8, 0}, {9, 0}, {37, 0}, {1, 0}, {300, 0}};

static void self_attention_matches_the_oracle(void **state) {
    struct attention_case c = {.head_width = 8, .num_heads = 3, .self = true, .num_sequences = 6};
    check(*state, self_lengths, &c, 1);
}

static void causal_attention_matches_the_oracle(void **state) {
    struct attention_case c = {
        .head_width = 12, .num_heads = 1, .self = true, .causal = true, .num_sequences = 6};
    check(*state, self_lengths, &c, 2);
}

static void cross_attention_matches_the_oracle(void **state) {
    static const uint32_t lengths[][2] = {{5, 1}, {17, 70}, {1, 300}, {33, 3}, {0, 6}, {3, 11}};
    struct attention_case c = {.head_width = 20, .num_heads = 8, .num_sequences = 6};
    check(*state, lengths, &c, 10);
}

static void dropout_follows_the_counter_forward_and_backward(void **state) {
    static const uint32_t lengths[][2] = {{5, 1}, {17, 70}, {1, 300}, {33, 3}, {0, 6}, {3, 11}};
    static const float probabilities[] = {0.1f, 0.5f, 0.9f};
    for (uint32_t i = 0; i < COUNT_OF(probabilities); i++) {
        struct attention_case cross = {
            .head_width = 20, .num_heads = 3, .dropout = probabilities[i], .num_sequences = 6};
        struct attention_case causal = {.head_width = 12,
                                        .num_heads = 2,
                                        .self = true,
                                        .causal = true,
                                        .dropout = probabilities[i],
                                        .num_sequences = 6};
        check(*state, lengths, &cross, 40 + i);
        check(*state, self_lengths, &causal, 50 + i);
    }
}

static void dropout_does_not_depend_on_what_follows(void **state) {
    static const uint32_t lengths[][2] = {{13, 21}, {30, 9}};
    struct harness h = {.device = *state, .dropout_seed = 9, .dropout_step = 4};
    struct arena arena = {0};
    struct rng rng = {variants_seed(), 60, 0};
    struct attention_case both = {
        .head_width = 8, .num_heads = 2, .dropout = 0.3f, .num_sequences = 2};
    struct attention_case first = both;
    first.num_sequences = 1;
    attention_case_make(&arena, &rng, lengths, &both);
    attention_case_make(&arena, &rng, lengths, &first);
    memcpy(first.q->v, both.q->v, (size_t)first.q->rows * first.q->cols * sizeof(double));
    memcpy(first.kv->v, both.kv->v, (size_t)first.kv->rows * first.kv->cols * sizeof(double));
    memcpy(first.r->v, both.r->v, (size_t)first.r->rows * first.r->cols * sizeof(double));
    variants_run(&h, attention_case_build, &both);
    variants_run(&h, attention_case_build, &first);
    assert_same_rows("out", both.out, 0, first.out);
    assert_same_rows("dq", both.dq, 0, first.dq);
    assert_same_rows("dkv", both.dkv, 0, first.dkv);
    arena_finish(&arena);
}

static void one_side_may_need_no_gradient(void **state) {
    static const uint32_t lengths[][2] = {{9, 4}, {2, 5}};
    for (int side = 0; side < 2; side++) {
        struct attention_case c = {.head_width = 20,
                                   .num_heads = 8,
                                   .num_sequences = 2,
                                   .without_dq = side == 0,
                                   .without_dkv = side == 1};
        check(*state, lengths, &c, 15);
    }
}

static void query_without_keys_gives_zeros_and_takes_no_gradient(void **state) {
    static const uint32_t lengths[][2] = {{9, 0}, {2, 5}, {3, 0}};
    struct attention_case c = {.head_width = 20, .num_heads = 8, .num_sequences = 3};
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {variants_seed(), 20, 0};
    attention_case_make(&arena, &rng, lengths, &c);
    variants_run(&h, attention_case_build, &c);
    for (uint32_t row = 0; row < c.out->rows; row++) {
        for (uint32_t col = 0; col < c.out->cols && (row < 9 || row >= 11); col++) {
            assert_true(AT(c.out, row, col) == 0);
            assert_true(AT(c.dq, row, col) == 0);
        }
    }
    arena_finish(&arena);
}

static void no_rows_at_all_is_no_error(void **state) {
    static const uint32_t lengths[][2] = {{0, 4}};
    struct attention_case c = {.head_width = 20, .num_heads = 8, .num_sequences = 1};
    check(*state, lengths, &c, 21);
}

static void large_scores_do_not_overflow(void **state) {
    static const uint32_t lengths[][2] = {{9, 0}, {40, 0}};
    struct attention_case c = {.head_width = 8, .num_heads = 3, .self = true, .num_sequences = 2};
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {variants_seed(), 22, 0};
    attention_case_make(&arena, &rng, lengths, &c);
    for (size_t i = 0; i < (size_t)c.q->rows * c.q->cols; i++)
        c.q->v[i] *= 1024; // scores of about a million
    variants_run(&h, attention_case_build, &c);
    // A query sees little but its best key, but how much is beyond a float's scores.
    for (size_t i = 0; i < (size_t)c.out->rows * c.out->cols; i++)
        assert_true(c.out->v[i] > -1e4 && c.out->v[i] < 1e4);
    assert_true(isfinite(oracle_norm2(c.dq)));
    arena_finish(&arena);
}

static void sequence_alone_has_the_same_bits(void **state) {
    struct attention_case c = {
        .head_width = 12, .num_heads = 1, .self = true, .causal = true, .num_sequences = 6};
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {variants_seed(), 30, 0};
    attention_case_make(&arena, &rng, self_lengths, &c);
    variants_run(&h, attention_case_build, &c);
    for (uint32_t b = 0; b < 4; b++) {
        struct attention_case alone = {
            .head_width = 12, .num_heads = 1, .self = true, .causal = true, .num_sequences = 1};
        uint32_t first = c.query_offsets[b];
        attention_case_make(&arena, &rng, &self_lengths[b], &alone);
        memcpy(alone.q->v, &AT(c.q, first, 0),
               (size_t)alone.q->rows * alone.q->cols * sizeof(double));
        memcpy(alone.r->v, &AT(c.r, first, 0),
               (size_t)alone.r->rows * alone.r->cols * sizeof(double));
        variants_run(&h, attention_case_build, &alone);
        assert_same_rows("out", c.out, first, alone.out);
        assert_same_rows("dqkv", c.dq, first, alone.dq);
    }
    arena_finish(&arena);
}

static void heads_that_do_not_fit_are_rejected(void **state) {
    static const struct {
        uint32_t width, num_heads;
        enum vks_status status;
    } cases[] = {{64, 0, VKS_ERR_SHAPE},
                 {64, 3, VKS_ERR_SHAPE},
                 {12, 2, VKS_ERR_UNSUPPORTED},
                 {264, 2, VKS_ERR_UNSUPPORTED}};
    struct vks_device *device = *state;
    const struct vks_log *log = device->log;
    device->log = NULL;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct graph *graph = NULL;
        assert_int_equal(graph_create(device, &graph), VKS_OK);
        struct tensor *q = graph_activation(graph, graph_dim(graph, 8), 3 * cases[i].width);
        assert_null(op_attention(
            graph, &(struct attention_params){
                       .q = q, .kv = q, .width = cases[i].width, .num_heads = cases[i].num_heads}));
        assert_int_equal(graph->status, cases[i].status);
        graph_destroy(&graph);
    }
    device->log = log;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(self_attention_matches_the_oracle),
        cmocka_unit_test(causal_attention_matches_the_oracle),
        cmocka_unit_test(cross_attention_matches_the_oracle),
        cmocka_unit_test(dropout_follows_the_counter_forward_and_backward),
        cmocka_unit_test(dropout_does_not_depend_on_what_follows),
        cmocka_unit_test(one_side_may_need_no_gradient),
        cmocka_unit_test(query_without_keys_gives_zeros_and_takes_no_gradient),
        cmocka_unit_test(no_rows_at_all_is_no_error),
        cmocka_unit_test(large_scores_do_not_overflow),
        cmocka_unit_test(sequence_alone_has_the_same_bits),
        cmocka_unit_test(heads_that_do_not_fit_are_rejected),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
