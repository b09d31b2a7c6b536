#include "vkseq/selftest.h"

#include "base/check.h"
#include "base/log.h"
#include "selftest/operators.h"
#include "selftest/training.h"

#include <math.h>
#include <string.h>

// ROOM_BYTES: of the largest operator's matrices, scratch memory included.
enum { SEED = 1, ROOM_BYTES = 32 * 1024 * 1024, REPEATED_UPDATES = 10 };

static const float REPEATED_DROPOUT = 0.1f;

struct selftest {
    struct vks_device *device; // borrowed
    const struct vks_selftest_params *params;
    uint64_t num_different; // bits of operators
    bool is_ok;
};

static void add_result(struct selftest *test, struct vks_selftest_result result) {
    result.is_ok = result.status == VKS_OK && result.error <= result.tolerance;
    test->is_ok &= result.is_ok;
    if (test->params->on_result)
        test->params->on_result(test->params->user, &result);
}

struct operator_test {
    const char *name;
    enum vks_status (*run)(struct check *check);
    uint32_t element;
};

static enum vks_status test_operator(struct selftest *test, const struct operator_test *operator) {
    static const char *const parts[] = {"forward", "gradient", "update", "exact"};
    struct arena arena = {0};
    struct check check = {.device = test->device,
                          .arena = &arena,
                          .seed = SEED,
                          .element = operator->element,
                          .run = harness_run};
    if (!arena_reserve(&arena, ROOM_BYTES))
        return VKS_ERR_OOM;
    enum vks_status status = operator->run(&check);
    arena_finish(&arena);
    if (status != VKS_OK)
        add_result(test, (struct vks_selftest_result){
                             .name = operator->name, .part = "", .worst = "", .status = status});
    for (int i = 0; i < NUM_CHECK_PARTS && status == VKS_OK; i++) {
        const struct deviation *worst = &check.parts[i];
        if (worst->what)
            add_result(test, (struct vks_selftest_result){
                                 .name = operator->name,
                                 .part = parts[i],
                                 .worst = worst->what,
                                 .error = worst->error,
                                 .tolerance = worst->tolerance,
                             });
    }
    test->num_different += check.num_different;
    return VKS_OK;
}

static enum vks_status test_operators(struct selftest *test) {
    static const struct operator_test operators[] = {
#define FLOATS(name) {#name, name##_selftest, ELEMENT_F32},
#define ALL(name)                                                                                  \
    FLOATS(name){#name "_float16", name##_selftest, ELEMENT_F16},                                  \
        {#name "_bfloat16", name##_selftest, ELEMENT_BF16},
        SELFTEST_OPERATORS(FLOATS, ALL)
#undef ALL
#undef FLOATS
    };
    for (size_t i = 0; i < COUNT_OF(operators); i++)
        TRY(test_operator(test, &operators[i]));
    add_result(test, (struct vks_selftest_result){.name = "operators",
                                                  .part = "repeated",
                                                  .worst = "",
                                                  .error = (double)test->num_different});
    return VKS_OK;
}

static void add_count(struct selftest *test, const char *name, const char *part,
                      enum vks_status status, uint64_t num_different) {
    add_result(test, (struct vks_selftest_result){.name = name,
                                                  .part = part,
                                                  .worst = "",
                                                  .error = (double)num_different,
                                                  .status = status});
}

// Leaves a trained model, which the status is that of.
static enum vks_status test_losses(struct selftest *test, struct training *training) {
    double losses[TRAINING_UPDATES], largest = 0;
    enum vks_status status = training_open(test->device, 0.0f, training);
    if (status == VKS_OK)
        status = training_run(training, TRAINING_UPDATES, losses);
    for (int i = 0; i < TRAINING_UPDATES && status == VKS_OK; i++) {
        double known = training_known_losses[i], error = fabs(losses[i] - known) / known;
        largest = isnan(error) ? HUGE_VAL : fmax(largest, error);
    }
    add_result(test, (struct vks_selftest_result){.name = "training",
                                                  .part = "losses",
                                                  .worst = "",
                                                  .error = largest,
                                                  .tolerance = training_tolerance,
                                                  .status = status});
    return status;
}

// Two trainings with dropout.
static void test_repetition(struct selftest *test) {
    double losses[2][REPEATED_UPDATES];
    enum vks_status status = VKS_OK;
    for (int i = 0; i < 2 && status == VKS_OK; i++) {
        struct training training;
        status = training_open(test->device, REPEATED_DROPOUT, &training);
        if (status == VKS_OK)
            status = training_run(&training, REPEATED_UPDATES, losses[i]);
        training_close(&training);
    }
    uint64_t num_different = 0;
    for (int i = 0; i < REPEATED_UPDATES && status == VKS_OK; i++)
        num_different += memcmp(&losses[0][i], &losses[1][i], sizeof losses[0][i]) != 0;
    add_count(test, "training", "repeated", status, num_different);
}

static void test_model(struct selftest *test) {
    struct training training;
    uint64_t num_different = 0;
    enum vks_status trained = test_losses(test, &training), status = trained;
    test_repetition(test);
    if (trained == VKS_OK)
        status = training_score_alone(&training, &num_different);
    add_count(test, "scores", "alone", status, num_different);
    num_different = 0;
    if (trained == VKS_OK)
        status = training_translate_alone(&training, &num_different);
    add_count(test, "translations", "alone", status, num_different);
    training_close(&training);
}

enum vks_status vks_selftest_run(struct vks_device *device,
                                 const struct vks_selftest_params *params, bool *is_ok) {
    struct selftest test = {.device = device, .params = params, .is_ok = true};
    TRY(test_operators(&test));
    test_model(&test);
    *is_ok = test.is_ok;
    return VKS_OK;
}
