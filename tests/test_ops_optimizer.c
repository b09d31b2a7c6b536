// The optimiser step against the oracle.
#include "base/check.h"
#include "graph/program.h"
#include "ops/optimizer.h"
#include "support/gpu.h"
#include "support/harness.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NUM_MATRICES = 3 };

static const uint32_t shapes[NUM_MATRICES][2] = {{1, 3}, {67, 130}, {300, 129}};

struct fixture {
    struct vks_device *device;
    struct arena arena;
    struct parameter_store store;
    struct parameter parameters[NUM_MATRICES], state_parameter;
    struct parameter_store state_store;
    struct program *program;
    struct tensor *report;
    struct optimizer_params params;
    struct oracle_update update;
    struct matrix *value[NUM_MATRICES], *moment1[NUM_MATRICES], *moment2[NUM_MATRICES];
};

static void put(struct fixture *f, enum parameter_part part, int i, const struct matrix *m) {
    float *values = calloc((size_t)m->rows * m->cols, sizeof *values);
    assert_non_null(values);
    for (size_t j = 0; j < (size_t)m->rows * m->cols; j++)
        values[j] = (float)m->v[j];
    assert_int_equal(parameter_write(&f->store, part, &f->parameters[i], 0, m->rows, values),
                     VKS_OK);
    free(values);
}

static struct matrix *get(struct fixture *f, enum parameter_part part, int i) {
    struct matrix *m = matrix_new(&f->arena, shapes[i][0], shapes[i][1]);
    float *values = calloc((size_t)m->rows * m->cols, sizeof *values);
    assert_non_null(values);
    assert_int_equal(parameter_read(&f->store, part, &f->parameters[i], 0, m->rows, values),
                     VKS_OK);
    for (size_t j = 0; j < (size_t)m->rows * m->cols; j++)
        m->v[j] = (double)values[j];
    free(values);
    return m;
}

static void setup(struct fixture *f, struct vks_device *device, struct rng *rng) {
    struct graph *graph = NULL;
    f->device = device;
    parameter_store_init(device, &f->store);
    parameter_store_init(device, &f->state_store);
    for (int i = 0; i < NUM_MATRICES; i++)
        assert_int_equal(
            parameter_store_reserve(&f->store, shapes[i][0], shapes[i][1], &f->parameters[i]),
            VKS_OK);
    assert_int_equal(parameter_store_reserve(&f->state_store, 1, STATE_WORDS, &f->state_parameter),
                     VKS_OK);
    assert_int_equal(parameter_store_allocate(&f->store, NUM_PARTS), VKS_OK);
    assert_int_equal(parameter_store_allocate(&f->state_store, 1), VKS_OK);
    for (int i = 0; i < NUM_MATRICES; i++) {
        f->value[i] = matrix_random(&f->arena, rng, shapes[i][0], shapes[i][1], 1);
        f->moment1[i] = matrix_like(&f->arena, f->value[i]);
        f->moment2[i] = matrix_like(&f->arena, f->value[i]);
        put(f, PART_VALUE, i, f->value[i]);
    }
    assert_int_equal(graph_create(device, &graph), VKS_OK);
    struct tensor *state = graph_parameter(graph, &f->state_store, &f->state_parameter);
    f->report = op_optimizer(graph, &f->store, state, &f->params);
    assert_int_equal(program_create(&graph, &(struct program_params){.poison = true}, &f->program),
                     VKS_OK);
}

static void teardown(struct fixture *f) {
    program_destroy(&f->program);
    parameter_store_finish(&f->store);
    parameter_store_finish(&f->state_store);
    arena_finish(&f->arena);
}

static const uint32_t *step(struct fixture *f, float scale, float clip) {
    program_set_float(f->program, 0, HEADER_RATE, (float)f->update.rate);
    program_set_float(f->program, 0, HEADER_GRADIENT_SCALE, scale);
    program_set_float(f->program, 0, HEADER_CLIP, clip);
    assert_int_equal(program_submit(f->program, 0), VKS_OK);
    assert_int_equal(program_wait(f->program, 0), VKS_OK);
    return program_output(f->program, 0, f->report);
}

static double word_float(const uint32_t *words, uint32_t at) {
    float value;
    memcpy(&value, &words[at], sizeof value);
    return (double)value;
}

// One step with random gradients on both sides.
static void step_both(struct fixture *f, struct rng *rng, float scale, float clip) {
    struct matrix *gradients[NUM_MATRICES];
    double squares = 0;
    for (int i = 0; i < NUM_MATRICES; i++) {
        gradients[i] = matrix_random(&f->arena, rng, shapes[i][0], shapes[i][1], 2);
        put(f, PART_GRADIENT, i, gradients[i]);
        squares += oracle_norm2(gradients[i]) * oracle_norm2(gradients[i]);
    }
    const uint32_t *report = step(f, scale, clip);
    double norm = sqrt(squares) * (double)scale, factor = (double)scale;
    if (clip > 0.0f && norm > (double)clip)
        factor *= (double)clip / norm;
    assert_true(fabs(word_float(report, STATE_NORM) - norm) <= 1e-5 * norm);
    assert_true(fabs(word_float(report, STATE_FACTOR) - factor) <= 1e-5 * factor);
    f->update.t++;
    assert_int_equal(report[STATE_UPDATES], f->update.t);
    for (int i = 0; i < NUM_MATRICES; i++) {
        for (size_t j = 0; j < (size_t)shapes[i][0] * shapes[i][1]; j++)
            gradients[i]->v[j] *= factor;
        oracle_update(&f->update, gradients[i], f->value[i], f->moment1[i], f->moment2[i]);
    }
}

static void compare(struct fixture *f) {
    for (int i = 0; i < NUM_MATRICES; i++) {
        assert_gradient("value", get(f, PART_VALUE, i), f->value[i]);
        assert_gradient("first moment", get(f, PART_MOMENT1, i), f->moment1[i]);
        if (f->params.kind != UPDATE_SGD)
            assert_gradient("second moment", get(f, PART_MOMENT2, i), f->moment2[i]);
    }
}

static void init(struct fixture *f, uint32_t kind, float decay) {
    const float beta1 = 0.9f, beta2 = 0.98f, eps = 1e-9f;
    *f = (struct fixture){.params = {kind, beta1, beta2, eps, decay},
                          .update = {.rate = (double)0.01f,
                                     .beta1 = (double)beta1,
                                     .beta2 = (double)beta2,
                                     .eps = (double)eps,
                                     .decay = (double)decay}};
    f->update.kind = kind == UPDATE_ADAM    ? ORACLE_ADAM
                     : kind == UPDATE_ADAMW ? ORACLE_ADAMW
                                            : ORACLE_SGD;
}

static void check(struct vks_device *device, uint32_t kind, float decay) {
    struct fixture f;
    struct rng rng = {harness_seed(), kind, 0};
    init(&f, kind, decay);
    setup(&f, device, &rng);
    for (int i = 0; i < 5; i++)
        step_both(&f, &rng, 0.125f, i % 2 ? 3.0f : 0.0f);
    compare(&f);
    teardown(&f);
}

static void adam_matches_the_oracle(void **state) {
    check(*state, UPDATE_ADAM, 0.0f);
}

static void adam_with_decay_matches_the_oracle(void **state) {
    check(*state, UPDATE_ADAM, 0.01f);
}

static void adamw_matches_the_oracle(void **state) {
    check(*state, UPDATE_ADAMW, 0.1f);
}

static void sgd_matches_the_oracle(void **state) {
    check(*state, UPDATE_SGD, 0.01f);
}

static void windows_match_the_oracle_and_keep_the_norm(void **state) {
    // 64 KiB are a block of the norm; 5,000 bytes are less than one.
    static const uint64_t bindings[] = {0, 64 << 10, 5000};
    struct vks_device *device = *state;
    uint64_t binding_bytes = device->info.max_binding_bytes;
    uint32_t norm = 0;
    for (uint32_t i = 0; i < COUNT_OF(bindings); i++) {
        struct fixture f;
        struct rng rng = {harness_seed(), 40, 0};
        device->info.max_binding_bytes = bindings[i] ? bindings[i] : binding_bytes;
        init(&f, UPDATE_ADAM, 0.01f);
        setup(&f, device, &rng);
        step_both(&f, &rng, 0.125f, 3.0f);
        const uint32_t *report = program_output(f.program, 0, f.report);
        if (i == 1)
            assert_int_equal(report[STATE_NORM], norm);
        norm = report[STATE_NORM];
        compare(&f);
        teardown(&f);
    }
    device->info.max_binding_bytes = binding_bytes;
}

static void gradient_that_is_not_finite_skips_the_update(void **state) {
    static const float bad[] = {INFINITY, NAN};
    struct fixture f;
    struct rng rng = {harness_seed(), 50, 0};
    init(&f, UPDATE_ADAM, 0.0f);
    setup(&f, *state, &rng);
    step_both(&f, &rng, 1.0f, 0.0f);
    for (uint32_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(parameter_write(&f.store, PART_GRADIENT, &f.parameters[0], 0, 1,
                                         (float[]){1.0f, bad[i], 2.0f}),
                         VKS_OK);
        const uint32_t *report = step(&f, 1.0f, 1.0f);
        assert_int_equal(report[STATE_SKIP], 1);
        assert_int_equal(report[STATE_SKIPPED], i + 1);
        assert_int_equal(report[STATE_UPDATES], 1);
    }
    step_both(&f, &rng, 1.0f, 0.0f);
    compare(&f);
    teardown(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adam_matches_the_oracle),
        cmocka_unit_test(adam_with_decay_matches_the_oracle),
        cmocka_unit_test(adamw_matches_the_oracle),
        cmocka_unit_test(sgd_matches_the_oracle),
        cmocka_unit_test(windows_match_the_oracle_and_keep_the_norm),
        cmocka_unit_test(gradient_that_is_not_finite_skips_the_update),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
