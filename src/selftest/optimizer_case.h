// Optimiser steps with random gradients, on the device and by the oracle.
#ifndef SELFTEST_OPTIMIZER_CASE_H
#define SELFTEST_OPTIMIZER_CASE_H

#include "ops/optimizer.h"
#include "selftest/checks.h"

enum { UPDATE_CASE_MATRICES = 3 };

struct update_case {
    struct check *check; // borrowed
    struct rng rng;
    struct parameter_store store, state_store;
    struct parameter parameters[UPDATE_CASE_MATRICES], state_parameter;
    struct program *program;
    struct tensor *report;
    struct optimizer_params params;
    struct oracle_update update;
    uint32_t halvings, num_good; // of the rate, and updates since the last of them or its end
    struct matrix *value[UPDATE_CASE_MATRICES], *average[UPDATE_CASE_MATRICES];
    struct matrix *moment1[UPDATE_CASE_MATRICES], *moment2[UPDATE_CASE_MATRICES];
};

// An optimiser as its options name it.
struct update_case_kind {
    uint32_t kind; // UPDATE_ADAM, ...
    float decay, smoothing;
};

// update_case_close also follows a failure.
enum vks_status update_case_open(struct check *check, const struct update_case_kind *kind,
                                 struct update_case *c);
void update_case_close(struct update_case *c);

// A step with the gradients that are there, on the device alone; *report is its STATE_WORDS words,
// there until the next step.
enum vks_status update_case_step(struct update_case *c, float scale, float clip,
                                 const uint32_t **report);
// Takes note, on the oracle's side, of a step that was skipped.
void update_case_skip(struct update_case *c);
// A step with random gradients on both sides.
enum vks_status update_case_step_both(struct update_case *c, float scale, float clip);
// Compares parameters, moments and averages.
enum vks_status update_case_compare(struct update_case *c);
// All of it: five steps, some of them clipped.
enum vks_status update_case_check(struct check *check, const struct update_case_kind *kind);

#endif
