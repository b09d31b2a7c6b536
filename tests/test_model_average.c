// The mean of several models' weights.
#include "io/safetensors_write.h"
#include "scratch.h"
#include "vkseq/model.h"

enum { ROWS = 3, COLUMNS = 5000, NUM = ROWS * COLUMNS, NUM_MODELS = 3 };

static float value_of(int model, int idx) {
    return (float)(model + 1) * 0.37f + (float)(idx % 97) * 1e-3f;
}

// A model's weights: a matrix, and a vector of `vector_dims` halves.
static char *write_weights(const struct scratch *scratch, const char *name, int model,
                           uint64_t vector_dims) {
    static float matrix[NUM];
    static const uint16_t halves[] = {0x3c00, 0x4000, 0xc000, 0x3c00}; // 1, 2, -2, 1
    for (int i = 0; i < NUM; i++)
        matrix[i] = value_of(model, i);
    const struct safetensors_tensor tensors[] = {
        {"matrix", SAFETENSORS_F32, 2, {ROWS, COLUMNS}, matrix},
        {"vector", SAFETENSORS_F16, 1, {vector_dims}, halves},
    };
    const struct safetensors_write_params params = {
        .tensors = tensors, .num_tensors = 2, .log = &scratch->log};
    char *path = scratch_path(scratch, name);
    assert_int_equal(safetensors_write(path, &params), VKS_OK);
    return path;
}

static void every_value_is_the_mean_in_double_precision(void **state) {
    struct scratch *scratch = *state;
    struct safetensors *file;
    struct safetensors_info matrix, vector;
    static float values[NUM];
    float halves[3];
    char *paths[NUM_MODELS], names[NUM_MODELS][8];
    char *output = scratch_path(scratch, "mean");
    scratch_put(scratch, "config.json", "{}", 2);
    for (int i = 0; i < NUM_MODELS; i++) {
        snprintf(names[i], sizeof names[i], "m%d", i);
        paths[i] = write_weights(scratch, names[i], i, 3);
    }
    assert_int_equal(vks_model_average((const char *const *)paths, NUM_MODELS, scratch->dir, output,
                                       &scratch->log),
                     VKS_OK);
    char *path = scratch_path(scratch, "mean/model.safetensors");
    char *config = scratch_path(scratch, "mean/config.json");
    assert_true(file_exists(config));
    assert_int_equal(safetensors_open(path, &scratch->log, &file), VKS_OK);
    assert_true(safetensors_find(file, "matrix", &matrix));
    assert_true(safetensors_find(file, "vector", &vector));
    assert_int_equal(vector.dtype, SAFETENSORS_F32);
    assert_int_equal(safetensors_read_f32(&matrix, values, NUM), VKS_OK);
    assert_int_equal(safetensors_read_f32(&vector, halves, 3), VKS_OK);
    for (int i = 0; i < NUM; i++) {
        double sum = 0;
        for (int model = 0; model < NUM_MODELS; model++)
            sum += (double)value_of(model, i);
        assert_true(values[i] == (float)(sum / NUM_MODELS));
    }
    assert_true(halves[0] == 1 && halves[1] == 2 && halves[2] == -2);
    safetensors_close(&file);
    for (int i = 0; i < NUM_MODELS; i++)
        free(paths[i]);
    free(config);
    free(path);
    free(output);
}

static void other_models_are_refused(void **state) {
    struct scratch *scratch = *state;
    char *paths[] = {write_weights(scratch, "a", 0, 3), write_weights(scratch, "b", 1, 4)};
    char *output = scratch_path(scratch, "mean"), *missing[] = {paths[0], output};
    assert_int_equal(
        vks_model_average((const char *const *)paths, 2, scratch->dir, output, &scratch->log),
        VKS_ERR_SHAPE);
    assert_non_null(strstr(scratch->text, "tensor vector is not there as in"));
    assert_int_equal(
        vks_model_average((const char *const *)missing, 2, scratch->dir, output, &scratch->log),
        VKS_ERR_IO);
    assert_int_equal(vks_model_average(NULL, 0, scratch->dir, output, &scratch->log),
                     VKS_ERR_ARGUMENT);
    assert_false(file_exists(output));
    free(paths[0]);
    free(paths[1]);
    free(output);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(every_value_is_the_mean_in_double_precision),
        SCRATCH_TEST(other_models_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
