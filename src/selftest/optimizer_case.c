#include "selftest/optimizer_case.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "selftest/operators.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t shapes[UPDATE_CASE_MATRICES][2] = {{1, 3}, {67, 130}, {300, 129}};

static enum vks_status put(struct update_case *c, enum parameter_part part, int i,
                           const struct matrix *m) {
    size_t num = (size_t)m->rows * m->cols;
    float *values = memory_malloc(num * sizeof *values);
    if (!values)
        return VKS_ERR_OOM;
    for (size_t j = 0; j < num; j++)
        values[j] = (float)m->v[j];
    enum vks_status status =
        parameter_write(&c->store, part, &c->parameters[i], 0, m->rows, values);
    free(values);
    return status;
}

static enum vks_status get(struct update_case *c, enum parameter_part part, int i,
                           struct matrix *m) {
    size_t num = (size_t)m->rows * m->cols;
    float *values = memory_calloc(num, sizeof *values);
    if (!values)
        return VKS_ERR_OOM;
    enum vks_status status = parameter_read(&c->store, part, &c->parameters[i], 0, m->rows, values);
    for (size_t j = 0; j < num; j++)
        m->v[j] = (double)values[j];
    free(values);
    return status;
}

static void set_params(struct update_case *c, const struct update_case_kind *kind) {
    const float beta1 = 0.9f, beta2 = 0.98f, eps = 1e-9f;
    c->params = (struct optimizer_params){.kind = kind->kind,
                                          .beta1 = beta1,
                                          .beta2 = beta2,
                                          .eps = eps,
                                          .decay = kind->decay,
                                          .smoothing = kind->smoothing};
    c->update = (struct oracle_update){.rate = (double)0.01f,
                                       .beta1 = (double)beta1,
                                       .beta2 = (double)beta2,
                                       .eps = (double)eps,
                                       .decay = (double)kind->decay,
                                       .smoothing = (double)kind->smoothing};
    c->update.kind = kind->kind == UPDATE_ADAM    ? ORACLE_ADAM
                     : kind->kind == UPDATE_ADAMW ? ORACLE_ADAMW
                                                  : ORACLE_SGD;
}

static enum vks_status open_stores(struct update_case *c) {
    struct arena *arena = c->check->arena;
    for (int i = 0; i < UPDATE_CASE_MATRICES; i++)
        TRY(parameter_store_reserve(&c->store, shapes[i][0], shapes[i][1], &c->parameters[i]));
    TRY(parameter_store_reserve(&c->state_store, 1, STATE_WORDS, &c->state_parameter));
    TRY(parameter_store_allocate(&c->store, optimizer_parts(&c->params)));
    TRY(parameter_store_allocate(&c->state_store, PARTS_RUN));
    for (int i = 0; i < UPDATE_CASE_MATRICES; i++) {
        c->value[i] = matrix_random(arena, &c->rng, shapes[i][0], shapes[i][1], 1);
        c->moment1[i] = matrix_like(arena, c->value[i]);
        c->moment2[i] = matrix_like(arena, c->value[i]);
        c->average[i] = matrix_like(arena, c->value[i]);
        TRY(put(c, PART_VALUE, i, c->value[i]));
    }
    return VKS_OK;
}

enum vks_status update_case_open(struct check *check, const struct update_case_kind *kind,
                                 struct update_case *c) {
    struct graph *graph;
    *c = (struct update_case){.check = check, .rng = {check->seed, kind->kind, 0}};
    set_params(c, kind);
    parameter_store_init(check->device, &c->store);
    parameter_store_init(check->device, &c->state_store);
    TRY(open_stores(c));
    TRY(graph_create(check->device, &graph));
    struct tensor *state = graph_parameter(graph, &c->state_store, &c->state_parameter);
    c->report = op_optimizer(graph, &c->store, state, &c->params);
    return program_create(&graph, &(struct program_params){.num_slots = 1, .poison = true},
                          &c->program);
}

void update_case_close(struct update_case *c) {
    program_destroy(&c->program);
    parameter_store_finish(&c->store);
    parameter_store_finish(&c->state_store);
}

enum vks_status update_case_step(struct update_case *c, float scale, float clip,
                                 const uint32_t **report) {
    program_set_float(c->program, 0, HEADER_RATE, (float)c->update.rate);
    program_set_float(c->program, 0, HEADER_GRADIENT_SCALE, scale);
    program_set_float(c->program, 0, HEADER_CLIP, clip);
    TRY(program_submit(c->program, 0));
    TRY(program_wait(c->program, 0));
    *report = program_output(c->program, 0, c->report);
    return VKS_OK;
}

static void compare_word(struct check *check, const char *what, uint32_t word, double expected) {
    float value;
    memcpy(&value, &word, sizeof value);
    double found = (double)value;
    check_compare(check, CHECK_UPDATE, what, &(struct matrix){1, 1, &found},
                  &(struct matrix){1, 1, &expected});
}

void update_case_skip(struct update_case *c) {
    c->halvings = min_u32(c->halvings + 1, MAX_HALVINGS);
    c->num_good = 0;
}

// The same of one that was applied: the rate it had.
static double note_applied(struct update_case *c) {
    c->num_good++;
    if (c->halvings > 0 && c->num_good >= RECOVERY_UPDATES) {
        c->halvings--;
        c->num_good = 0;
    }
    return ldexp(c->update.rate, -(int)c->halvings);
}

enum vks_status update_case_step_both(struct update_case *c, float scale, float clip) {
    struct matrix *gradients[UPDATE_CASE_MATRICES];
    const uint32_t *report;
    double squares = 0;
    for (int i = 0; i < UPDATE_CASE_MATRICES; i++) {
        gradients[i] = matrix_random(c->check->arena, &c->rng, shapes[i][0], shapes[i][1], 2);
        squares += pow(oracle_norm2(gradients[i]), 2);
        TRY(put(c, PART_GRADIENT, i, gradients[i]));
    }
    TRY(update_case_step(c, scale, clip, &report));
    double norm = sqrt(squares) * (double)scale, factor = (double)scale;
    if (clip > 0.0f && norm > (double)clip)
        factor *= (double)clip / norm;
    compare_word(c->check, "norm", report[STATE_NORM], norm);
    compare_word(c->check, "factor", report[STATE_FACTOR], factor);
    struct oracle_update update = c->update;
    update.rate = note_applied(c);
    update.t = ++c->update.t;
    check_exact(c->check, "updates", report[STATE_UPDATES] == c->update.t);
    for (int i = 0; i < UPDATE_CASE_MATRICES; i++) {
        for (size_t j = 0; j < (size_t)shapes[i][0] * shapes[i][1]; j++)
            gradients[i]->v[j] *= factor;
        oracle_update(&update, gradients[i], c->value[i], c->moment1[i], c->moment2[i]);
        oracle_average(&update, c->value[i], c->average[i]);
    }
    return VKS_OK;
}

enum vks_status update_case_compare(struct update_case *c) {
    for (int i = 0; i < UPDATE_CASE_MATRICES; i++) {
        const struct {
            enum parameter_part part;
            const char *what;
            const struct matrix *expected;
        } parts[] = {{PART_VALUE, "value", c->value[i]},
                     {PART_MOMENT1, "first moment", c->moment1[i]},
                     {PART_MOMENT2, "second moment", c->moment2[i]},
                     {PART_AVERAGE, "average", c->average[i]}};
        for (uint32_t j = 0; j < COUNT_OF(parts); j++) {
            if (!parameter_store_has(&c->store, parts[j].part))
                continue;
            struct matrix *found = matrix_like(c->check->arena, parts[j].expected);
            TRY(get(c, parts[j].part, i, found));
            check_compare(c->check, CHECK_UPDATE, parts[j].what, found, parts[j].expected);
        }
    }
    return VKS_OK;
}

enum vks_status update_case_check(struct check *check, const struct update_case_kind *kind) {
    struct update_case c;
    enum vks_status status;
    TRY_GOTO(status, update_case_open(check, kind, &c), done);
    for (int i = 0; i < 5; i++)
        TRY_GOTO(status, update_case_step_both(&c, 0.125f, i % 2 ? 3.0f : 0.0f), done);
    TRY_GOTO(status, update_case_compare(&c), done);
done:
    update_case_close(&c);
    return status;
}

enum vks_status optimizer_selftest(struct check *check) {
    TRY(update_case_check(check, &(struct update_case_kind){UPDATE_ADAM, 0.0f, 0.3f}));
    TRY(update_case_check(check, &(struct update_case_kind){UPDATE_ADAMW, 0.1f, 0.0f}));
    return update_case_check(check, &(struct update_case_kind){UPDATE_SGD, 0.01f, 0.0f});
}
