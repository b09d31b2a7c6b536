// The whole model against PyTorch's float64: logits, loss, every gradient, also in micro-batches
// and with frozen parameters, and 50 updates of each optimiser. The dumps are made by
// tests/golden/make_transformer.py.
#include "base/check.h"
#include "io/safetensors.h"
#include "model/loss.h"
#include "model/model_object.h"
#include "model/weights_freeze.h"
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

enum { UPDATES = 50, NUM_SEQUENCES = 5 };

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
        if (weight->parameter.is_frozen || strstr(weight->name, "k_proj.bias"))
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

// Losses of updates with one batch, of the model as it is in the dump.
static void check_updates(struct vks_device *device, const char *path, const char *name,
                          const struct optimizer_params *params, float rate) {
    struct golden golden = {0};
    struct loss_program loss;
    struct updater updater;
    char tensor[32];
    golden_open(device, path, &golden);
    assert_int_equal(model_prepare_training(golden.model, optimizer_parts(params)), VKS_OK);
    struct loss_batch batch = golden_batch(&golden);
    open_program(device, &golden, false, &loss);
    assert_int_equal(updater_init(&golden.model->weights.store, params, &updater), VKS_OK);
    snprintf(tensor, sizeof tensor, "%s_losses", name);
    float *expected = read_floats(&golden, tensor, UPDATES);
    const struct update_step step = {
        .rate = rate, .gradient_scale = 1.0f / (float)batch.target.offsets[NUM_SEQUENCES]};
    double worst = 0;
    for (int i = 0; i < UPDATES; i++) {
        double found = run(&loss, &batch);
        struct update_report report;
        worst = fmax(worst, fabs(found - (double)expected[i]) / (double)expected[i]);
        assert_int_equal(updater_submit(&updater, 0, &step), VKS_OK);
        assert_int_equal(updater_wait(&updater, 0, &report), VKS_OK);
        assert_int_equal(report.updates, i + 1);
    }
    print_message("%s: largest relative loss error in %d updates %.2e\n", name, UPDATES, worst);
    assert_true(worst <= LOSS_TOLERANCE);
    free(expected);
    updater_finish(&updater);
    loss_program_finish(&loss);
    golden_close(&golden);
}

static void check_optimizers(struct vks_device *device, const char *path) {
    const struct optimizer_params adam = {
        .kind = UPDATE_ADAM, .beta1 = 0.9f, .beta2 = 0.98f, .eps = 1e-9f};
    const struct optimizer_params sgd = {.kind = UPDATE_SGD, .beta1 = 0.9f, .decay = 0.01f};
    struct optimizer_params adamw = adam;
    adamw.kind = UPDATE_ADAMW;
    adamw.decay = 0.1f;
    check_updates(device, path, "adam", &adam, 1e-3f);
    check_updates(device, path, "adamw", &adamw, 1e-3f);
    check_updates(device, path, "sgd", &sgd, 0.02f);
}

// The batch in pieces, one micro-batch after the other, has the gradients of the whole.
static void check_micro_batches(struct golden *golden, struct loss_program *loss) {
    static const uint32_t ends[] = {1, 4, NUM_SEQUENCES};
    const struct loss_batch whole = golden_batch(golden);
    uint32_t first = 0;
    for (uint32_t i = 0; i < COUNT_OF(ends); first = ends[i++]) {
        uint32_t src_offsets[NUM_SEQUENCES + 1], tgt_offsets[NUM_SEQUENCES + 1];
        uint32_t src = whole.source.offsets[first], tgt = whole.target.offsets[first];
        double total;
        for (uint32_t j = first; j <= ends[i]; j++) {
            src_offsets[j - first] = whole.source.offsets[j] - src;
            tgt_offsets[j - first] = whole.target.offsets[j] - tgt;
        }
        const struct loss_batch piece = {
            .source = {whole.source.tokens + src, src_offsets, ends[i] - first},
            .target = {whole.target.tokens + tgt, tgt_offsets, ends[i] - first},
            .labels = whole.labels + tgt};
        assert_int_equal(loss_program_submit(loss, 0, &piece, &(struct loss_step){.micro = i}),
                         VKS_OK);
        assert_int_equal(loss_program_wait(loss, 0, &total), VKS_OK);
    }
    check_gradients(golden, whole.target.offsets[NUM_SEQUENCES]);
}

static void check_model(struct vks_device *device, const char *name) {
    struct golden golden = {0};
    struct loss_program loss;
    char path[512];
    snprintf(path, sizeof path, "%s/golden/transformer/%s.safetensors", TEST_DATA_DIR, name);
    golden_open(device, path, &golden);
    assert_int_equal(model_prepare_training(golden.model, PARTS_ADAM), VKS_OK);
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
    check_micro_batches(&golden, &loss);
    free(expected);
    loss_program_finish(&loss);
    golden_close(&golden);
    check_optimizers(device, path);
}

static void post_norm_equals_pytorch(void **state) {
    check_model(*state, "postnorm");
}

static void pre_norm_equals_pytorch(void **state) {
    check_model(*state, "prenorm");
}

// Whatever is frozen, the others' gradients are those of the whole model.
static void frozen_parameters_leave_the_gradients_of_others(void **state) {
    static const char *const choices[] = {
        "model.encoder.*", "model.shared.weight",      "*.weight",    "*.bias", "*norm.weight",
        "*norm.bias",      "model.decoder.layers.1.*", "*fc?.weight", "*attn*"};
    struct vks_device *device = *state;
    const char *path = TEST_DATA_DIR "/golden/transformer/prenorm.safetensors";
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        struct golden golden = {0};
        struct loss_program loss;
        golden_open(device, path, &golden);
        struct weights *weights = &golden.model->weights;
        assert_int_equal(weights_freeze(weights, vks_model_config(golden.model), &choices[i], 1),
                         VKS_OK);
        assert_true(weights_num_frozen(weights) > 0);
        assert_int_equal(model_prepare_training(golden.model, PARTS_ADAM), VKS_OK);
        struct loss_batch batch = golden_batch(&golden);
        open_program(device, &golden, true, &loss);
        run(&loss, &batch);
        print_message("without %s: ", choices[i]);
        check_gradients(&golden, batch.target.offsets[NUM_SEQUENCES]);
        check_micro_batches(&golden, &loss);
        loss_program_finish(&loss);
        golden_close(&golden);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(post_norm_equals_pytorch),
        cmocka_unit_test(pre_norm_equals_pytorch),
        cmocka_unit_test(frozen_parameters_leave_the_gradients_of_others),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
