#include "selftest/logits_case.h"

#include "base/log.h"
#include "ops/output.h"
#include "selftest/operators.h"

struct logits_case {
    struct matrix *h, *weight, *bias, *logits;
};

static void build(struct harness *h, void *user) {
    struct logits_case *c = user;
    struct dim rows = harness_dim(h, c->h->rows + 3, c->h->rows);
    const struct output_params params = {.h = harness_hidden(h, rows, c->h, NULL),
                                         .weight = harness_weight(h, c->weight, NULL),
                                         .bias = harness_parameter(h, c->bias, NULL)};
    harness_result(h, op_logits(h->graph, &params), c->logits, NULL);
}

enum vks_status logits_case_check(struct check *check) {
    struct harness h = {.device = check->device};
    struct arena *arena = check->arena;
    struct rng rng = {check->seed, 40, 0};
    struct logits_case c = {.h = matrix_random(arena, &rng, 5, 20, 1),
                            .weight = matrix_random(arena, &rng, 301, 20, 1),
                            .bias = matrix_random(arena, &rng, 1, 301, 1),
                            .logits = matrix_new(arena, 5, 301)};
    matrix_round(c.h, check->element);
    matrix_round(c.weight, check->element);
    TRY(check_run(check, &h, build, &c));
    struct matrix *logits = matrix_like(arena, c.logits);
    oracle_linear(c.h, c.weight, c.bias, logits);
    check_compare(check, CHECK_FORWARD, "logits", c.logits, logits);
    return VKS_OK;
}

enum vks_status logits_selftest(struct check *check) {
    return logits_case_check(check);
}
