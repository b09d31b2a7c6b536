// Tiles of matrix products: chosen by time, kept for the next time, and without a trace in results.
#include "ops/tiles.h"

#include "model/loss.h"
#include "scratch.h"
#include "support/gpu.h"
#include "support/random_model.h"
#include "vkseq/bench.h"

#include "base/check.h"

enum { NUM_SEQUENCES = 9, LENGTH = 8, NUM_TOKENS = NUM_SEQUENCES * LENGTH };

static struct vks_device *open_device(struct scratch *scratch) {
    struct vks_device *device;
    assert_int_equal(vks_device_create(NULL, &scratch->log, &device), VKS_OK);
    return device;
}

// The loss and the gradients of a model's batch, as they are on a device.
struct result {
    double total;
    float *gradients; // owned
    size_t num;
};

static void submit(struct loss_program *loss, double *total) {
    uint32_t tokens[2][NUM_TOKENS], offsets[NUM_SEQUENCES + 1];
    for (uint32_t i = 0; i < NUM_TOKENS; i++) {
        tokens[0][i] = (i * 7 + 3) % RANDOM_MODEL_VOCAB;
        tokens[1][i] = (i * 5 + 1) % (RANDOM_MODEL_VOCAB - 1);
    }
    for (uint32_t i = 0; i <= NUM_SEQUENCES; i++)
        offsets[i] = i * LENGTH;
    const struct packed packed = {tokens[0], offsets, NUM_SEQUENCES};
    const struct loss_batch batch = {.source = packed, .target = packed, .labels = tokens[1]};
    assert_int_equal(loss_program_submit(loss, 0, &batch, &(struct loss_step){.seed = 1}), VKS_OK);
    assert_int_equal(loss_program_wait(loss, 0, total), VKS_OK);
}

static struct result compute(struct vks_device *device) {
    struct vks_model *model = random_model_create(device, false, 1);
    struct weights *weights = &model->weights;
    struct loss_program loss;
    struct result result = {0};
    assert_int_equal(model_prepare_training(model, PARTS_ADAM), VKS_OK);
    const struct loss_params params = {.config = &model->config,
                                       .weights = weights,
                                       .capacity = {NUM_TOKENS, NUM_TOKENS, NUM_SEQUENCES},
                                       .dropout = 0.1f,
                                       .with_gradient = true,
                                       .program = {.num_slots = 1}};
    assert_int_equal(loss_program_init(device, &params, &loss), VKS_OK);
    submit(&loss, &result.total);
    for (size_t i = 0; i < weights->num_named; i++) {
        const struct named_weight *weight = &weights->named[i];
        size_t size = (size_t)named_weight_size(weight);
        result.gradients = realloc(result.gradients, (result.num + size) * sizeof(float));
        assert_non_null(result.gradients);
        assert_int_equal(
            named_weight_read(weights, PART_GRADIENT, weight, result.gradients + result.num),
            VKS_OK);
        result.num += size;
    }
    loss_program_finish(&loss);
    vks_model_destroy(&model);
    return result;
}

// What a new device gives is bit for bit what was expected.
static void assert_same(struct scratch *scratch, const struct result *expected) {
    struct vks_device *device = open_device(scratch);
    struct result found = compute(device);
    assert_int_equal(found.num, expected->num);
    assert_memory_equal(&found.total, &expected->total, sizeof found.total);
    assert_memory_equal(found.gradients, expected->gradients, found.num * sizeof(float));
    free(found.gradients);
    vks_device_destroy(&device);
}

// Tunes a model; returns how many choices were made.
static size_t tune(struct vks_device *device, enum vks_status expected) {
    struct vks_model *model = random_model_create(device, false, 1);
    struct vks_tile_choice *choices = NULL;
    size_t num = 0;
    assert_int_equal(vks_tune(model, NUM_TOKENS, &choices, &num), expected);
    for (size_t i = 0; i < num; i++) {
        bool is_tile = false;
        for (uint32_t tile = 0; tile < NUM_TILES; tile++)
            is_tile |= strcmp(choices[i].tile, tile_name(tile)) == 0;
        assert_true(is_tile);
    }
    vks_free(choices);
    vks_model_destroy(&model);
    return num;
}

static bool device_is_software(struct scratch *scratch) {
    struct vks_device *device = open_device(scratch);
    bool is_software = device->info.type == VKS_DEVICE_CPU;
    vks_device_destroy(&device);
    return is_software;
}

static void tiles_leave_bits_as_they_are(void **state) {
    struct scratch *scratch = *state;
    struct vks_device *device = open_device(scratch);
    struct result expected = compute(device);
    vks_device_destroy(&device);
    // Software drivers take minutes to compile a model's kernels with blocks; test_ops_linear
    // compares those.
    bool is_software = device_is_software(scratch);
    for (uint32_t i = 0; i < (is_software ? TILE_BLOCK : NUM_TILES); i++) {
        setenv("VKSEQ_TILES", tile_name(i), 1);
        assert_same(scratch, &expected);
    }
    unsetenv("VKSEQ_TILES");

    setenv("VKSEQ_CACHE_DIR", scratch->dir, 1);
    device = open_device(scratch);
    size_t num = tune(device, VKS_OK);
    assert_true(num > 10);
    vks_device_destroy(&device);
    assert_same(scratch, &expected);

    // Each way of choosing by chance, and choices that there are not.
    for (uint32_t way = 0; way < 3; way++) {
        device = open_device(scratch);
        assert_int_equal(device->tuning.num, num);
        for (size_t i = 0; i < num; i++) {
            struct tuning_entry entry = device->tuning.entries[i];
            tuning_set(device, entry.key, way == 2 ? NUM_TILES + 5 : (i + way) % NUM_TILES);
        }
        vks_device_destroy(&device);
        assert_same(scratch, &expected);
    }
    assert_int_equal(directory_remove(scratch->dir, NULL), VKS_OK);
    assert_same(scratch, &expected);
    assert_int_equal(scratch->num_messages, 0);
    free(expected.gradients);
}

static void choices_are_kept_and_used(void **state) {
    struct scratch *scratch = *state;
    setenv("VKSEQ_CACHE_DIR", scratch->dir, 1);
    struct vks_device *device = open_device(scratch);
    size_t num = tune(device, VKS_OK);
    vks_device_destroy(&device);
    device = open_device(scratch);
    assert_int_equal(device->tuning.num, num);
    for (size_t i = 0; i < num; i++) {
        struct tile_shape shape;
        const struct tuning_entry entry = device->tuning.entries[i];
        tile_shape_of_key(entry.key, &shape);
        assert_int_equal(tile_choose(device, &shape), entry.choice);
        uint32_t other = (entry.choice + 1) % NUM_TILES;
        while (!tile_fits(device, &shape, other))
            other = (other + 1) % NUM_TILES;
        tuning_set(device, entry.key, other);
        assert_int_equal(tile_choose(device, &shape), other);
    }
    vks_device_destroy(&device);
}

static void damaged_choices_are_made_anew(void **state) {
    struct scratch *scratch = *state;
    setenv("VKSEQ_CACHE_DIR", scratch->dir, 1);
    struct vks_device *device = open_device(scratch);
    tune(device, VKS_OK);
    vks_device_destroy(&device);
    char **names;
    size_t num;
    assert_int_equal(directory_list(scratch->dir, NULL, &names, &num), VKS_OK);
    assert_int_equal(num, 2);
    assert_memory_equal(names[1], "tiles-", 6);
    scratch_put(scratch, names[1], "nonsense", 8);
    device = open_device(scratch);
    assert_int_equal(scratch->num_messages, 1);
    assert_non_null(strstr(scratch->text, "it is made anew"));
    assert_int_equal(device->tuning.num, 0);
    vks_device_destroy(&device);
    directory_list_free(&names, num);
}

static void software_is_not_timed_unasked(void **state) {
    struct vks_device *device = open_device(*state);
    assert_true(device->is_tuned == (device->info.type != VKS_DEVICE_CPU));
    struct result result = compute(device);
    assert_true(device->is_tuned == (device->tuning.num > 0));
    free(result.gradients);
    vks_device_destroy(&device);
}

static void fixed_tiles_are_not_tuned(void **state) {
    struct scratch *scratch = *state;
    setenv("VKSEQ_TILES", "short", 1);
    struct vks_device *device = open_device(scratch);
    assert_int_equal(tune(device, VKS_ERR_ARGUMENT), 0);
    assert_non_null(strstr(scratch->text, "VKSEQ_TILES fixes the tiles"));
    const struct tile_shape shape = {GEMM_NT, 4096, 512, 512, ELEMENT_F32};
    assert_int_equal(tile_choose(device, &shape), TILE_SHORT);
    vks_device_destroy(&device);
}

static int forget(void **state) {
    unsetenv("VKSEQ_CACHE_DIR");
    unsetenv("VKSEQ_TILES");
    return scratch_destroy(state);
}

#define TILES_TEST(function) cmocka_unit_test_setup_teardown(function, scratch_create, forget)

int main(void) {
    const struct CMUnitTest tests[] = {
        TILES_TEST(tiles_leave_bits_as_they_are),  TILES_TEST(choices_are_kept_and_used),
        TILES_TEST(damaged_choices_are_made_anew), TILES_TEST(software_is_not_timed_unasked),
        TILES_TEST(fixed_tiles_are_not_tuned),
    };
    unsetenv("VKSEQ_CACHE_DIR");
    unsetenv("VKSEQ_TILES");
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
