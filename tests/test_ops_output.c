// The output projection and its loss, and the best symbols, against the oracle.
#include "base/check.h"
#include "ops/copy.h"
#include "ops/decoding.h"
#include "ops/output.h"
#include "support/gpu.h"
#include "support/harness.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct loss_case {
    uint32_t capacity, rows, width, vocab, pad, chunk_rows;
    float smoothing, loss_scale;
    bool has_bias, without_gradient;
    uint64_t binding_bytes; // of the harness
    uint32_t *labels;
    struct matrix *h, *weight, *bias, *losses;
    struct matrix *dh, *dweight, *dbias, *total;
};

static void make_case(struct arena *arena, struct rng *rng, struct loss_case *c) {
    c->h = matrix_random(arena, rng, c->rows, c->width, 1);
    c->weight = matrix_random(arena, rng, c->vocab, c->width, 1);
    c->bias = matrix_random(arena, rng, 1, c->vocab, 1);
    c->losses = matrix_new(arena, c->rows, 1);
    c->total = matrix_new(arena, 1, 1);
    c->dh = c->without_gradient ? NULL : matrix_like(arena, c->h);
    c->dweight = c->without_gradient ? NULL : matrix_like(arena, c->weight);
    c->dbias = c->without_gradient ? NULL : matrix_like(arena, c->bias);
    c->labels = ARENA_NEW(arena, uint32_t, c->rows + 1);
    for (uint32_t row = 0; row < c->rows; row++)
        do
            c->labels[row] = rng_below(rng, c->vocab);
        while (c->labels[row] == c->pad);
}

static void build(struct harness *h, void *user) {
    struct loss_case *c = user;
    struct dim rows = harness_dim(h, c->capacity, c->rows);
    const struct cross_entropy_params params = {
        .output = {.h = harness_leaf(h, rows, c->h, c->dh),
                   .weight = harness_parameter(h, c->weight, c->dweight),
                   .bias = c->has_bias ? harness_parameter(h, c->bias, c->dbias) : NULL},
        .labels = harness_uints(h, rows, 1, c->labels, c->rows),
        .pad = c->pad,
        .smoothing = c->smoothing,
        .chunk_rows = c->chunk_rows,
        .with_gradient = !c->without_gradient,
    };
    struct tensor *losses = op_cross_entropy(h->graph, &params);
    harness_result(h, losses, c->losses, NULL);
    harness_words(h, op_sum(h->graph, losses), (uint32_t *)c->total->v, 1);
}

static void check(struct vks_device *device, struct loss_case *c, uint32_t stream) {
    struct harness h = {
        .device = device, .loss_scale = c->loss_scale, .binding_bytes = c->binding_bytes};
    struct arena arena = {0};
    struct rng rng = {harness_seed(), stream, 0};
    make_case(&arena, &rng, c);
    harness_run(&h, build, c);
    struct matrix *logits = matrix_new(&arena, c->rows, c->vocab);
    struct matrix *losses = matrix_like(&arena, c->losses);
    const struct oracle_cross_entropy oracle = {logits, c->labels, c->pad, (double)c->smoothing};
    oracle_linear(c->h, c->weight, c->has_bias ? c->bias : NULL, logits);
    oracle_cross_entropy(&oracle, losses);
    assert_forward("losses", c->losses, losses);
    float total_word;
    memcpy(&total_word, c->total->v, sizeof total_word);
    double total = 0;
    for (uint32_t row = 0; row < c->rows; row++)
        total += AT(losses, row, 0);
    assert_true(fabs((double)total_word - total) <= 2e-6 * (total + 1));
    if (!c->without_gradient) {
        struct matrix *dlogits = matrix_like(&arena, logits);
        const struct oracle_linear_gradient gradient = {matrix_like(&arena, c->h),
                                                        matrix_like(&arena, c->weight),
                                                        matrix_like(&arena, c->bias)};
        oracle_cross_entropy_gradient(&oracle, dlogits);
        for (size_t i = 0; i < (size_t)c->rows * c->vocab; i++)
            dlogits->v[i] *= c->loss_scale != 0.0f ? (double)c->loss_scale : 1;
        oracle_linear_gradient(c->h, c->weight, dlogits, &gradient);
        assert_gradient("dh", c->dh, gradient.x);
        assert_gradient("dweight", c->dweight, gradient.weight);
        if (c->has_bias)
            assert_gradient("dbias", c->dbias, gradient.bias);
    }
    arena_finish(&arena);
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

static void vocabulary_beyond_the_binding_range_is_seen_in_windows(void **state) {
    // 64 KiB hold 8 rows of the logits, and 448 of the weights' 2,003.
    struct loss_case cases[] = {{.capacity = 24,
                                 .rows = 21,
                                 .width = 36,
                                 .vocab = 2003,
                                 .pad = 2002,
                                 .has_bias = true,
                                 .smoothing = 0.1f,
                                 .binding_bytes = 64 << 10},
                                {.capacity = 24,
                                 .rows = 21,
                                 .width = 36,
                                 .vocab = 2003,
                                 .pad = 450,
                                 .smoothing = 0.1f,
                                 .without_gradient = true,
                                 .binding_bytes = 64 << 10}};
    for (uint32_t i = 0; i < COUNT_OF(cases); i++)
        check(*state, &cases[i], 70 + i);
}

// What a device binds does not change losses, nor, chunk by chunk, the gradient of the weights.
static void windows_keep_the_bits(void **state) {
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {harness_seed(), 80, 0};
    struct loss_case whole = {.capacity = 24,
                              .rows = 21,
                              .width = 36,
                              .vocab = 2003,
                              .pad = 2,
                              .chunk_rows = 8,
                              .has_bias = true,
                              .smoothing = 0.1f};
    make_case(&arena, &rng, &whole);
    harness_run(&h, build, &whole);
    struct loss_case c = whole;
    c.losses = matrix_like(&arena, c.losses);
    c.dh = matrix_like(&arena, c.h);
    c.dweight = matrix_like(&arena, c.weight);
    c.dbias = matrix_like(&arena, c.bias);
    h.binding_bytes = 64 << 10;
    harness_run(&h, build, &c);
    assert_same_bits("losses", c.losses, whole.losses);
    assert_same_bits("dbias", c.dbias, whole.dbias);
    assert_same_bits("dweight", c.dweight, whole.dweight);
    arena_finish(&arena);
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

static void row_alone_has_the_same_loss_bits(void **state) {
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {harness_seed(), 30, 0};
    struct loss_case c = {.capacity = 64,
                          .rows = 37,
                          .width = 20,
                          .vocab = 101,
                          .pad = 3,
                          .has_bias = true,
                          .smoothing = 0.1f};
    make_case(&arena, &rng, &c);
    harness_run(&h, build, &c);
    struct loss_case alone = c;
    alone.capacity = 4;
    alone.rows = 1;
    make_case(&arena, &rng, &alone);
    alone.weight = c.weight;
    alone.bias = c.bias;
    memcpy(alone.h->v, &AT(c.h, 33, 0), c.width * sizeof(double));
    alone.labels[0] = c.labels[33];
    harness_run(&h, build, &alone);
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

static void tensor_that_takes_no_windows_is_refused(void **state) {
    struct vks_device *device = *state;
    const struct vks_log *log = device->log;
    uint64_t binding_bytes = device->info.max_binding_bytes;
    struct graph *graph = NULL;
    struct program *program = NULL;
    assert_int_equal(graph_create(device, &graph), VKS_OK);
    op_sum(graph, graph_input(graph, graph_dim(graph, 1001), 1));
    device->log = NULL;
    device->info.max_binding_bytes = 4000;
    assert_int_equal(program_create(&graph, &(struct program_params){0}, &program),
                     VKS_ERR_UNSUPPORTED);
    assert_null(program);
    device->info.max_binding_bytes = binding_bytes;
    device->log = log;
}

struct logits_case {
    struct matrix *h, *weight, *bias, *logits;
    uint32_t pad, k, *best, *words;
};

static void build_logits(struct harness *h, void *user) {
    struct logits_case *c = user;
    struct dim rows = harness_dim(h, c->h->rows + 3, c->h->rows);
    const struct output_params params = {.h = harness_leaf(h, rows, c->h, NULL),
                                         .weight = harness_parameter(h, c->weight, NULL),
                                         .bias = harness_parameter(h, c->bias, NULL)};
    struct tensor *logits = op_logits(h->graph, &params);
    harness_result(h, logits, c->logits, NULL);
}

static void logits_match_the_oracle(void **state) {
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {harness_seed(), 40, 0};
    struct logits_case c = {.h = matrix_random(&arena, &rng, 5, 20, 1),
                            .weight = matrix_random(&arena, &rng, 301, 20, 1),
                            .bias = matrix_random(&arena, &rng, 1, 301, 1),
                            .logits = matrix_new(&arena, 5, 301)};
    harness_run(&h, build_logits, &c);
    struct matrix *logits = matrix_like(&arena, c.logits);
    oracle_linear(c.h, c.weight, c.bias, logits);
    assert_forward("logits", c.logits, logits);
    arena_finish(&arena);
}

static void build_top_k(struct harness *h, void *user) {
    struct logits_case *c = user;
    struct dim rows = harness_dim(h, c->logits->rows + 3, c->logits->rows);
    struct tensor *logits = harness_leaf(h, rows, c->logits, NULL);
    harness_words(h, op_top_k(h->graph, logits, c->pad, c->k), c->best, c->logits->rows);
}

// One stretch of one row: words are the highest, the sum, then pairs.
static void check_stretch(const struct logits_case *c, uint32_t row, uint32_t first,
                          const uint32_t *words) {
    uint32_t end = min_u32(first + TOP_K_STRETCH, c->logits->cols), ids[64];
    float highest, sum, value;
    oracle_top_k(&(struct oracle_top_k){c->logits, row, first, end, c->pad, c->k}, ids);
    memcpy(&highest, &words[0], sizeof highest);
    memcpy(&sum, &words[1], sizeof sum);
    double expected = 0;
    for (uint32_t col = first; col < end; col++)
        if (col != c->pad && ids[0] != UINT32_MAX)
            expected += exp(AT(c->logits, row, col) - AT(c->logits, row, ids[0]));
    assert_true(fabs((double)sum - expected) <= 5e-6 * expected);
    for (uint32_t i = 0; i < c->k; i++) {
        memcpy(&value, &words[TOP_K_HEAD + 2 * i], sizeof value);
        assert_int_equal(words[TOP_K_HEAD + 2 * i + 1], ids[i]);
        if (ids[i] != UINT32_MAX)
            assert_true((double)value == AT(c->logits, row, ids[i]));
        if (i == 0)
            assert_memory_equal(&value, &highest, sizeof value);
    }
}

static void check_top_k(struct vks_device *device, struct logits_case *c) {
    struct harness h = {.device = device};
    uint32_t stretches = top_k_num_stretches(c->logits->cols);
    uint32_t stretch_words = TOP_K_HEAD + 2 * c->k;
    uint32_t stride = (uint32_t)round_up_u64(stretches * stretch_words, 4);
    c->best = calloc((size_t)c->logits->rows * stride, sizeof *c->best);
    assert_non_null(c->best);
    harness_run(&h, build_top_k, c);
    for (uint32_t row = 0; row < c->logits->rows; row++)
        for (uint32_t i = 0; i < stretches; i++)
            check_stretch(c, row, i * TOP_K_STRETCH,
                          c->best + (size_t)row * stride + i * stretch_words);
    free(c->best);
}

static void best_symbols_match_the_oracle(void **state) {
    static const uint32_t shapes[][2] = {{101, 5}, {5, 8}, {3, 1}, {8193, 6}, {20003, 12}};
    for (uint32_t i = 0; i < COUNT_OF(shapes); i++) {
        struct arena arena = {0};
        struct rng rng = {harness_seed(), 50 + i, 0};
        struct logits_case c = {.logits = matrix_random(&arena, &rng, 4, shapes[i][0], 3),
                                .pad = shapes[i][0] / 2,
                                .k = shapes[i][1]};
        check_top_k(*state, &c);
        arena_finish(&arena);
    }
}

// Logits as the host reads them, and the best of them.
static void build_step(struct harness *h, void *user) {
    struct logits_case *c = user;
    struct dim rows = harness_dim(h, c->h->rows + 3, c->h->rows);
    const struct output_params params = {.h = harness_leaf(h, rows, c->h, NULL),
                                         .weight = harness_parameter(h, c->weight, NULL),
                                         .bias = harness_parameter(h, c->bias, NULL)};
    struct tensor *logits = op_logits(h->graph, &params);
    harness_words(h, op_copy_out(h->graph, logits), c->words, c->h->rows);
    harness_words(h, op_top_k(h->graph, logits, c->pad, c->k), c->best, c->h->rows);
}

static void logits_and_the_best_beyond_the_binding_range_keep_the_bits(void **state) {
    // 64 KiB hold 16 rows of the logits, and 512 of the weights.
    enum { ROWS = 37, VOCAB = 1021, STRIDE = 1024, WIDTH = 28, K = 5, BEST = TOP_K_HEAD + 2 * K };
    static uint32_t words[2][ROWS * STRIDE], best[2][ROWS * BEST];
    struct harness h = {.device = *state};
    struct arena arena = {0};
    struct rng rng = {harness_seed(), 90, 0};
    struct logits_case c = {.h = matrix_random(&arena, &rng, ROWS, WIDTH, 1),
                            .weight = matrix_random(&arena, &rng, VOCAB, WIDTH, 1),
                            .bias = matrix_random(&arena, &rng, 1, VOCAB, 1),
                            .logits = matrix_new(&arena, ROWS, VOCAB),
                            .pad = 3,
                            .k = K};
    for (int i = 0; i < 2; i++) {
        c.words = words[i];
        c.best = best[i];
        h.binding_bytes = i ? 64 << 10 : 0;
        harness_run(&h, build_step, &c);
    }
    assert_memory_equal(words[0], words[1], sizeof words[0]);
    assert_memory_equal(best[0], best[1], sizeof best[0]);
    for (uint32_t row = 0; row < ROWS; row++)
        for (uint32_t col = 0; col < VOCAB; col++) {
            float value;
            memcpy(&value, &words[1][row * STRIDE + col], sizeof value);
            AT(c.logits, row, col) = (double)value;
        }
    for (uint32_t row = 0; row < ROWS; row++)
        check_stretch(&c, row, 0, best[1] + row * BEST);
    struct matrix *logits = matrix_like(&arena, c.logits);
    oracle_linear(c.h, c.weight, c.bias, logits);
    assert_forward("logits", c.logits, logits);
    arena_finish(&arena);
}

static void equal_logits_are_taken_by_id(void **state) {
    struct arena arena = {0};
    struct rng rng = {harness_seed(), 60, 0};
    struct logits_case c = {.logits = matrix_new(&arena, 3, 333), .pad = 4, .k = 9};
    for (size_t i = 0; i < 333; i++) {
        c.logits->v[i] = 1.5;
        c.logits->v[333 + i] = rng_below(&rng, 4);
        c.logits->v[666 + i] = i == 4 ? 100 : (double)-2e38f; // only the pad is likely
    }
    check_top_k(*state, &c);
    arena_finish(&arena);
}

static void impossible_symbols_are_not_taken(void **state) {
    struct arena arena = {0};
    struct logits_case c = {.logits = matrix_new(&arena, 1, 40), .pad = 0, .k = 4};
    for (size_t i = 0; i < 40; i++)
        c.logits->v[i] = i == 7 || i == 30 ? (double)i : -(double)HUGE_VALF;
    c.best = calloc(64, sizeof *c.best);
    assert_non_null(c.best);
    struct harness h = {.device = *state};
    harness_run(&h, build_top_k, &c);
    const uint32_t ids[] = {30, 7, UINT32_MAX, UINT32_MAX};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(c.best[TOP_K_HEAD + 2 * i + 1], ids[i]);
    free(c.best);
    arena_finish(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_and_gradients_match_the_oracle),
        cmocka_unit_test(chunks_add_up_and_may_be_empty),
        cmocka_unit_test(vocabulary_beyond_the_binding_range_is_seen_in_windows),
        cmocka_unit_test(windows_keep_the_bits),
        cmocka_unit_test(logits_and_the_best_beyond_the_binding_range_keep_the_bits),
        cmocka_unit_test(loss_without_gradient_is_the_same),
        cmocka_unit_test(row_alone_has_the_same_loss_bits),
        cmocka_unit_test(tensor_with_two_losses_is_rejected),
        cmocka_unit_test(tensor_that_takes_no_windows_is_refused),
        cmocka_unit_test(logits_match_the_oracle),
        cmocka_unit_test(best_symbols_match_the_oracle),
        cmocka_unit_test(equal_logits_are_taken_by_id),
        cmocka_unit_test(impossible_symbols_are_not_taken),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
