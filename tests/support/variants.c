#include "support/variants.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

uint32_t variants_seed(void) {
    const char *given = getenv("VKSEQ_TEST_SEED");
    return given ? (uint32_t)strtoul(given, NULL, 10) : (uint32_t)getpid();
}

// After a second micro-batch of the same numbers.
static void check_doubled(struct harness *h) {
    struct arena arena = {0};
    for (size_t i = 0; i < h->num_items; i++) {
        const struct harness_item *item = &h->items[i];
        if (item->kind != ITEM_PARAMETER || !item->result)
            continue;
        struct matrix *sum = matrix_like(&arena, item->result);
        struct matrix *twice = matrix_copy(&arena, item->result);
        assert_int_equal(harness_read_parameter(h, item, sum), VKS_OK);
        for (size_t j = 0; j < (size_t)twice->rows * twice->cols; j++)
            twice->v[j] *= 2;
        assert_gradient("two micro-batches", sum, twice);
    }
    arena_finish(&arena);
}

static void assert_same_bits(const struct harness *h, const char *variant) {
    if (h->num_different > 0)
        fail_msg("%llu values have other bits: %s (seed %u)", (unsigned long long)h->num_different,
                 variant, variants_seed());
}

// Without a name it takes the results, else they are compared with what was taken.
static void run_variant(struct harness *h, harness_build *build, void *user,
                        const struct program_params *params, const char *name) {
    const struct harness_feed plain = {0}, negated = {.negate = true}, second = {.micro = 1};
    bool first = name == NULL;
    assert_int_equal(harness_open(h, build, user, params), VKS_OK);
    assert_true(plan_is_sound(program_graph(h->program), program_plan(h->program)));
    // Two slots under way; the later one's gradients stay.
    assert_int_equal(harness_submit(h, 1, &negated), VKS_OK);
    assert_int_equal(harness_submit(h, 0, &plain), VKS_OK);
    assert_int_equal(program_wait(h->program, 1), VKS_OK);
    assert_int_equal(first ? harness_collect(h, 0) : harness_compare(h, 0, true), VKS_OK);
    assert_same_bits(h, name);
    assert_int_equal(harness_submit(h, 1, &second), VKS_OK);
    assert_int_equal(harness_compare(h, 1, false), VKS_OK);
    assert_same_bits(h, "the other slot");
    check_doubled(h);
    if (h->num_dirty_pads > 0)
        fail_msg("%llu pads are not zero (seed %u)", (unsigned long long)h->num_dirty_pads,
                 variants_seed());
    harness_close(h);
}

enum vks_status variants_run(struct harness *h, harness_build *build, void *user) {
    run_variant(h, build, user, &(struct program_params){0}, NULL);
    run_variant(h, build, user, &(struct program_params){.poison = true}, "poisoned memory");
    run_variant(h, build, user, &(struct program_params){.barrier_everywhere = true},
                "barriers everywhere");
    return VKS_OK;
}

struct check variants_check(struct vks_device *device, struct arena *arena) {
    return (struct check){
        .device = device, .arena = arena, .seed = variants_seed(), .run = variants_run};
}

void assert_check(enum vks_status status, struct check *check) {
    static const char *const names[] = {"forward", "gradient", "update", "exact"};
    assert_int_equal(status, VKS_OK);
    for (int i = 0; i < NUM_CHECK_PARTS; i++) {
        const struct deviation *worst = &check->parts[i];
        if (worst->what && !(worst->error <= worst->tolerance))
            fail_msg("%s: %s is off by %g, relatively (seed %u)", names[i], worst->what,
                     worst->error, check->seed);
    }
    arena_finish(check->arena);
    *check = variants_check(check->device, check->arena);
}

static void assert_near(const char *name, const struct matrix *out, const struct matrix *reference,
                        enum check_part part) {
    double error = oracle_error(out, reference, tolerance_floor);
    if (!(error <= tolerances[part]))
        fail_msg("%s [%u, %u] is off by %g, relatively (seed %u)", name, out->rows, out->cols,
                 error, variants_seed());
}

void assert_forward(const char *name, const struct matrix *out, const struct matrix *reference) {
    assert_near(name, out, reference, CHECK_FORWARD);
}

void assert_gradient(const char *name, const struct matrix *out, const struct matrix *reference) {
    assert_near(name, out, reference, CHECK_GRADIENT);
}

void assert_same_rows(const char *name, const struct matrix *batch, uint32_t first,
                      const struct matrix *alone) {
    assert_int_equal(batch->cols, alone->cols);
    for (uint32_t row = 0; row < alone->rows; row++)
        if (memcmp(&AT(batch, first + row, 0), &AT(alone, row, 0), alone->cols * sizeof(double)) !=
            0)
            fail_msg("%s: row %u has other bits (seed %u)", name, row, variants_seed());
}
