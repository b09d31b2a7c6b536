// One head's weights and their loss against alignments, against the oracle.
#include "base/check.h"
#include "ops/alignment.h"
#include "selftest/alignment_case.h"
#include "selftest/alignment_oracle.h"
#include "support/gpu.h"
#include "support/variants.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const uint32_t lengths[][2] = {{5, 1}, {17, 70}, {1, 300}, {33, 3}, {0, 6}, {3, 0}};

static void check_cost(struct vks_device *device, uint32_t cost, uint32_t stream) {
    // The first head, the last one; one word of links exactly, and many.
    static const uint32_t shapes[][3] = {{8, 3, 300}, {20, 8, 301}, {128, 1, 320}};
    for (uint32_t i = 0; i < COUNT_OF(shapes); i++) {
        struct arena arena = {0};
        struct check check = variants_check(device, &arena);
        struct alignment_case c = {.attention = {.head_width = shapes[i][0],
                                                 .num_heads = shapes[i][1],
                                                 .num_sequences = COUNT_OF(lengths)},
                                   .head = i == 1 ? shapes[i][1] - 1 : 0,
                                   .max_keys = shapes[i][2],
                                   .cost = cost,
                                   .weight = 0.3f,
                                   .loss_scale = i == 2 ? 4.0f : 0.0f};
        assert_check(alignment_case_check(&check, stream + i, lengths, &c), &check);
    }
}

static void cross_entropy_matches_the_oracle(void **state) {
    check_cost(*state, ALIGNMENT_COST_CE, 10);
}

static void squared_error_matches_the_oracle(void **state) {
    check_cost(*state, ALIGNMENT_COST_MSE, 20);
}

static void product_matches_the_oracle(void **state) {
    check_cost(*state, ALIGNMENT_COST_MULT, 30);
}

static void sequence_alone_has_the_same_bits(void **state) {
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {variants_seed(), 40, 0};
    struct alignment_case c = {
        .attention = {.head_width = 12, .num_heads = 2, .num_sequences = COUNT_OF(lengths)},
        .head = 1,
        .max_keys = 300};
    alignment_case_make(&arena, &rng, lengths, &c);
    variants_run(&h, alignment_case_build, &c);
    struct alignment_case alone = c;
    const struct attention_case *a = &c.attention, *b = &alone.attention;
    alone.attention.num_sequences = 1;
    alignment_case_make(&arena, &rng, &lengths[1], &alone);
    memcpy(b->q->v, &AT(a->q, a->query_offsets[1], 0),
           (size_t)b->q->rows * b->q->cols * sizeof(double));
    memcpy(b->kv->v, &AT(a->kv, a->key_offsets[1], 0),
           (size_t)b->kv->rows * b->kv->cols * sizeof(double));
    variants_run(&h, alignment_case_build, &alone);
    assert_same_rows("weights", c.weights, a->query_offsets[1], alone.weights);
    arena_finish(&arena);
}

static void weights_without_an_attention_after_them_are_rejected(void **state) {
    struct vks_device *device = *state;
    const struct vks_log *log = device->log;
    struct graph *graph = NULL;
    device->log = NULL;
    assert_int_equal(graph_create(device, &graph), VKS_OK);
    struct dim rows = graph_dim(graph, 8);
    struct tensor *q = graph_activation(graph, rows, 8), *kv = graph_activation(graph, rows, 16);
    q->needs_grad = kv->needs_grad = true;
    struct tensor *blocks = graph_input(graph, rows, 4);
    const struct attention_weights_params params = {.q = q,
                                                    .kv = kv,
                                                    .head_width = 8,
                                                    .max_keys = 8,
                                                    .query_blocks = blocks,
                                                    .key_blocks = blocks};
    const struct alignment_loss_params loss = {.weights = op_attention_weights(graph, &params),
                                               .links = graph_input(graph, rows, 1)};
    assert_non_null(op_alignment_loss(graph, &loss));
    assert_int_equal(graph->status, VKS_OK);
    graph_backward(graph);
    assert_int_equal(graph->status, VKS_ERR_UNSUPPORTED);
    graph_destroy(&graph);
    device->log = log;
}

static void shapes_that_do_not_fit_are_rejected(void **state) {
    static const struct {
        uint32_t head_width, q_col, words;
        enum vks_status status;
    } cases[] = {{6, 0, 1, VKS_ERR_UNSUPPORTED},
                 {132, 0, 1, VKS_ERR_UNSUPPORTED},
                 {8, 2, 1, VKS_ERR_SHAPE},
                 {8, 132, 1, VKS_ERR_SHAPE},
                 {8, 0, 2, VKS_ERR_SHAPE}};
    struct vks_device *device = *state;
    const struct vks_log *log = device->log;
    device->log = NULL;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct graph *graph = NULL;
        assert_int_equal(graph_create(device, &graph), VKS_OK);
        struct dim rows = graph_dim(graph, 8);
        struct tensor *q = graph_activation(graph, rows, 136);
        const struct attention_weights_params params = {.q = q,
                                                        .kv = q,
                                                        .q_col = cases[i].q_col,
                                                        .head_width = cases[i].head_width,
                                                        .max_keys = 32};
        const struct alignment_loss_params loss = {.weights = op_attention_weights(graph, &params),
                                                   .links =
                                                       graph_input(graph, rows, cases[i].words)};
        assert_null(op_alignment_loss(graph, &loss));
        assert_int_equal(graph->status, cases[i].status);
        graph_destroy(&graph);
    }
    device->log = log;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cross_entropy_matches_the_oracle),
        cmocka_unit_test(squared_error_matches_the_oracle),
        cmocka_unit_test(product_matches_the_oracle),
        cmocka_unit_test(sequence_alone_has_the_same_bits),
        cmocka_unit_test(weights_without_an_attention_after_them_are_rejected),
        cmocka_unit_test(shapes_that_do_not_fit_are_rejected),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
