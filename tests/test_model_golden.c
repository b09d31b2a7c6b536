// The whole model against PyTorch's float64: logits, loss, every gradient, and 50 Adam updates.
// The dumps are made by tests/golden/make_transformer.py.
#include "base/check.h"
#include "io/safetensors.h"
#include "model/loss.h"
#include "model/model_object.h"
#include "support/golden.h"
#include "support/gpu.h"
#include "train/updater.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

// Bounds of the acceptance test, not of this device: float32 stays well inside.
static const double LOGIT_TOLERANCE = 1e-4, GRADIENT_TOLERANCE = 1e-4, GRADIENT_FLOOR = 1e-3;
static const double LOSS_TOLERANCE = 1e-3;

enum { ADAM_UPDATES = 50, NUM_SEQUENCES = 5 };

// A tensor of the dump as floats, to be freed.
static float *read_floats(const struct golden *golden, const char *name, size_t num) {
    struct safetensors_info info;
    float *values = malloc(num * sizeof *values);
    assert_non_null(values);
    assert_true(safetensors_find(golden->file, name, &info));
    assert_int_equal(safetensors_read_f32(&info, values, num), VKS_OK);
    return values;
}

static const uint32_t *find_ids(const struct golden *golden, const char *name) {
    size_t num;
    return (const uint32_t *)golden_ints(golden, name, &num);
}

static struct loss_batch golden_batch(const struct golden *golden) {
    return (struct loss_batch){
        .source = {find_ids(golden, "src"), find_ids(golden, "src_offsets"), NUM_SEQUENCES},
        .target = {find_ids(golden, "tgt_in"), find_ids(golden, "tgt_offsets"), NUM_SEQUENCES},
        .labels = find_ids(golden, "tgt_out")};
}

static void open_program(struct vks_device *device, const struct golden *golden, bool poison,
                         struct loss_program *loss) {
    const struct loss_params params = {
        .config = vks_model_config(golden->model),
        .weights = &golden->model->weights,
        .capacity = {.num_src = 100, .num_tgt = 90, .num_sequences = 10},
        .label_smoothing = 0.1f,
        .with_gradient = true,
        .with_logits = true,
        .program = {.num_slots = 1, .poison = poison}};
    assert_int_equal(loss_program_init(device, &params, loss), VKS_OK);
}

static double run(struct loss_program *loss, const struct loss_batch *batch) {
    double total;
    assert_int_equal(loss_program_submit(loss, 0, batch, &(struct loss_step){0}), VKS_OK);
    assert_int_equal(loss_program_wait(loss, 0, &total), VKS_OK);
    return total / batch->target.offsets[NUM_SEQUENCES];
}

static void check_logits(const struct golden *golden, struct loss_program *loss, uint32_t rows) {
    uint32_t vocab = vks_model_config(golden->model)->target_vocab, stride = loss->logits->stride;
    float *expected = read_floats(golden, "logits", (size_t)rows * vocab);
    const float *logits = program_output(loss->program, 0, loss->logits);
    double worst = 0;
    for (uint32_t row = 0; row < rows; row++)
        for (uint32_t i = 0; i < vocab; i++)
            if (i != vks_model_config(golden->model)->pad_id)
                worst = fmax(worst, fabs((double)logits[row * stride + i] -
                                         (double)expected[row * vocab + i]));
    print_message("largest logit error %.2e\n", worst);
    assert_true(worst <= LOGIT_TOLERANCE);
    free(expected);
}

// The gradient of the mean loss: the device holds that of the sum. Key biases have none in truth.
static void check_gradients(struct golden *golden, uint32_t num_tokens) {
    struct weights *weights = &golden->model->weights;
    double worst_ratio = 0;
    for (size_t i = 0; i < weights->num_named; i++) {
        const struct named_weight *weight = &weights->named[i];
        if (strstr(weight->name, "k_proj.bias"))
            continue;
        uint64_t size = named_weight_size(weight);
        char name[WEIGHTS_NAME_BYTES + 8];
        snprintf(name, sizeof name, "grad.%s", weight->name);
        float *expected = read_floats(golden, name, size), *found = malloc(size * sizeof *found);
        assert_non_null(found);
        assert_int_equal(named_weight_read(weights, PART_GRADIENT, weight, found), VKS_OK);
        double error = 0, norm = 0;
        for (uint64_t j = 0; j < size; j++) {
            double difference = (double)found[j] / num_tokens - (double)expected[j];
            error += difference * difference;
            norm += (double)expected[j] * (double)expected[j];
        }
        double ratio = sqrt(error) / (sqrt(norm) + GRADIENT_FLOOR);
        if (!(ratio <= GRADIENT_TOLERANCE))
            print_error("%s: gradient error %.2e of norm %.2e\n", weight->name, sqrt(error),
                        sqrt(norm));
        assert_true(ratio <= GRADIENT_TOLERANCE);
        worst_ratio = fmax(worst_ratio, ratio);
        free(expected);
        free(found);
    }
    print_message("largest relative gradient error %.2e\n", worst_ratio);
}

static void check_adam(struct golden *golden, struct loss_program *loss,
                       const struct loss_batch *batch) {
    struct updater updater;
    const struct optimizer_params params = {
        .kind = UPDATE_ADAM, .beta1 = 0.9f, .beta2 = 0.98f, .eps = 1e-9f};
    assert_int_equal(updater_init(&golden->model->weights.store, &params, &updater), VKS_OK);
    float *expected = read_floats(golden, "adam_losses", ADAM_UPDATES);
    const struct update_step step = {
        .rate = 1e-3f, .gradient_scale = 1.0f / (float)batch->target.offsets[NUM_SEQUENCES]};
    double worst = 0;
    for (int i = 0; i < ADAM_UPDATES; i++) {
        double found = run(loss, batch);
        struct update_report report;
        worst = fmax(worst, fabs(found - (double)expected[i]) / (double)expected[i]);
        assert_int_equal(updater_submit(&updater, 0, &step), VKS_OK);
        assert_int_equal(updater_wait(&updater, 0, &report), VKS_OK);
        assert_int_equal(report.updates, i + 1);
    }
    print_message("largest relative loss error in %d updates %.2e\n", ADAM_UPDATES, worst);
    assert_true(worst <= LOSS_TOLERANCE);
    free(expected);
    updater_finish(&updater);
}

static void check_model(struct vks_device *device, const char *name) {
    struct golden golden = {0};
    struct loss_program loss;
    char path[512];
    snprintf(path, sizeof path, "%s/golden/transformer/%s.safetensors", TEST_DATA_DIR, name);
    golden_open(device, path, &golden);
    assert_int_equal(model_prepare_training(golden.model), VKS_OK);
    struct loss_batch batch = golden_batch(&golden);
    uint32_t num_tokens = batch.target.offsets[NUM_SEQUENCES];
    open_program(device, &golden, true, &loss);
    assert_true(plan_is_sound(program_graph(loss.program), program_plan(loss.program)));
    float *expected = read_floats(&golden, "loss", 1);
    double found = run(&loss, &batch);
    print_message("%s: loss %.7f, PyTorch %.7f\n", name, found, (double)expected[0]);
    check_logits(&golden, &loss, num_tokens);
    assert_true(fabs(found - (double)expected[0]) <= LOSS_TOLERANCE * (double)expected[0]);
    check_gradients(&golden, num_tokens);
    check_adam(&golden, &loss, &batch);
    free(expected);
    loss_program_finish(&loss);
    golden_close(&golden);
}

static void post_norm_equals_pytorch(void **state) {
    check_model(*state, "postnorm");
}

static void pre_norm_equals_pytorch(void **state) {
    check_model(*state, "prenorm");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(post_norm_equals_pytorch),
        cmocka_unit_test(pre_norm_equals_pytorch),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
