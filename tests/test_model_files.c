// Model directories: what is saved comes back, and what does not fit is refused.
#include "io/safetensors_write.h"
#include "model/config.h"
#include "model/model_object.h"
#include "scratch.h"
#include "support/gpu.h"

#include <stdio.h>
#include <unistd.h>

static struct vks_model *small_model(struct vks_device *device) {
    const struct vks_model_config config = {.source_vocab = 11,
                                            .target_vocab = 11,
                                            .width = 8,
                                            .num_heads = 2,
                                            .ffn_width = 6,
                                            .encoder_layers = 1,
                                            .decoder_layers = 1,
                                            .alignment_layer = 1};
    struct vks_model *model;
    assert_int_equal(vks_model_create(device, &config, 5, &model), VKS_OK);
    return model;
}

static float *all_values(struct vks_model *model, size_t *num) {
    float *values = calloc(vks_model_num_parameters(model), sizeof *values);
    assert_non_null(values);
    *num = 0;
    for (size_t i = 0; i < model->weights.num_named; i++) {
        const struct named_weight *weight = &model->weights.named[i];
        assert_int_equal(named_weight_read(&model->weights, PART_VALUE, weight, values + *num),
                         VKS_OK);
        *num += named_weight_size(weight);
    }
    return values;
}

static void a_saved_model_comes_back(void **state) {
    void *folder;
    size_t num, num_loaded;
    scratch_create(&folder);
    const char *dir = ((struct scratch *)folder)->dir;
    struct vks_model *model = small_model(*state), *loaded;
    assert_int_equal(vks_model_save(model, dir), VKS_OK);
    assert_int_equal(vks_model_load(*state, dir, &loaded), VKS_OK);
    float *before = all_values(model, &num), *after = all_values(loaded, &num_loaded);
    assert_int_equal(num, num_loaded);
    assert_memory_equal(before, after, num * sizeof *before);
    assert_memory_equal(vks_model_config(model), vks_model_config(loaded),
                        sizeof(struct vks_model_config));
    free(before);
    free(after);
    vks_model_destroy(&model);
    vks_model_destroy(&loaded);
    scratch_destroy(&folder);
}

// Writes a saved model's tensors anew with one more.
static void add_tensor(const char *dir, const char *name, const float *values, size_t num) {
    enum { MAX_TENSORS = 128 };
    struct safetensors_tensor tensors[MAX_TENSORS] = {{0}};
    struct safetensors *file;
    char path[512];
    snprintf(path, sizeof path, "%s/model.safetensors", dir);
    assert_int_equal(safetensors_open(path, &gpu_log, &file), VKS_OK);
    size_t num_tensors = safetensors_num_tensors(file);
    assert_true(num_tensors < MAX_TENSORS);
    for (size_t i = 0; i < num_tensors; i++) {
        const struct safetensors_info *info = safetensors_at(file, i);
        tensors[i] = (struct safetensors_tensor){
            .name = info->name, .num_dims = info->num_dims, .data = info->data};
        tensors[i].dtype = info->dtype;
        memcpy(tensors[i].dims, info->dims, sizeof info->dims);
    }
    tensors[num_tensors] = (struct safetensors_tensor){
        .name = name, .dtype = SAFETENSORS_F32, .num_dims = 2, .dims = {1, num}, .data = values};
    const struct safetensors_write_params params = {
        .tensors = tensors, .num_tensors = num_tensors + 1, .log = &gpu_log};
    assert_int_equal(safetensors_write(path, &params), VKS_OK);
    safetensors_close(&file);
}

static void check_added(struct vks_device *device, const char *name, const float *values,
                        enum vks_status expected) {
    void *folder;
    scratch_create(&folder);
    struct scratch *scratch = folder;
    const struct vks_log *log = device->log;
    struct vks_model *model = small_model(device), *loaded = NULL;
    assert_int_equal(vks_model_save(model, scratch->dir), VKS_OK);
    vks_model_destroy(&model);
    add_tensor(scratch->dir, name, values, 11);
    device->log = &scratch->log;
    assert_int_equal(vks_model_load(device, scratch->dir, &loaded), expected);
    device->log = log;
    if (expected != VKS_OK)
        assert_non_null(strstr(scratch->text, name));
    vks_model_destroy(&loaded);
    scratch_destroy(&folder);
}

static void an_unknown_tensor_is_refused(void **state) {
    static const float values[11] = {1};
    check_added(*state, "model.encoder.adapter.weight", values, VKS_ERR_SHAPE);
}

static void an_output_bias_is_refused_unless_zero(void **state) {
    static const float zeros[11], values[11] = {[3] = 0.5f};
    check_added(*state, "final_logits_bias", values, VKS_ERR_SHAPE);
    check_added(*state, "final_logits_bias", zeros, VKS_OK);
}

static void a_senseless_shape_is_refused(void **state) {
    static const struct {
        struct vks_model_config config;
        const char *what;
    } cases[] = {
        {{.source_vocab = 9, .target_vocab = 9, .width = 30, .num_heads = 4}, "heads"},
        {{.source_vocab = 9, .target_vocab = 9, .width = 18, .num_heads = 3}, "width of a head"},
        {{.source_vocab = 9, .target_vocab = 9, .width = 272, .num_heads = 2}, "width of a head"},
        {{.source_vocab = 9, .target_vocab = 10}, "embeddings are tied"},
        {{.source_vocab = 9, .target_vocab = 9, .pad_id = 9}, "<pad>"},
        {{.source_vocab = 9, .target_vocab = 9, .encoder_layers = 65}, "encoder layers"},
        {{.source_vocab = 9, .target_vocab = 9, .alignment_layer = 7}, "layer with alignments"},
        {{0}, "vocabulary"},
    };
    struct scratch scratch = {.num_messages = 0};
    const struct vks_log log = {scratch_write_log, &scratch, VKS_LOG_INFO};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct vks_model_config config = cases[i].config;
        assert_int_equal(config_complete(&config, "model", &log), VKS_ERR_ARGUMENT);
        assert_non_null(strstr(scratch.text, cases[i].what));
    }
}

static void a_bad_config_file_names_the_key(void **state) {
    static const struct {
        const char *text, *what;
    } cases[] = {
        {"[]", "not a JSON object"},
        {"{\"model_type\": \"bert\"}", "\"model_type\" is \"bert\": expected"},
        {"{\"model_type\": \"marian\", \"vocab_size\": -1}", "\"vocab_size\" is -1: expected"},
        {"{\"model_type\": \"marian\", \"vocab_size\": 1.5}", "\"vocab_size\" is 1.5: expected"},
        {"{\"model_type\": \"marian\", \"vocab_size\": 9}", "\"d_model\" is missing: expected"},
    };
    void *folder;
    scratch_create(&folder);
    struct scratch *scratch = folder;
    (void)state;
    char *path = scratch_path(scratch, "config.json");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct vks_model_config config = {0};
        assert_int_equal(file_replace(path, cases[i].text, strlen(cases[i].text), NULL), VKS_OK);
        assert_int_equal(config_read(scratch->dir, &scratch->log, &config), VKS_ERR_FORMAT);
        assert_non_null(strstr(scratch->text, cases[i].what));
        assert_non_null(strstr(scratch->text, path));
    }
    free(path);
    scratch_destroy(&folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_saved_model_comes_back),
        cmocka_unit_test(an_unknown_tensor_is_refused),
        cmocka_unit_test(an_output_bias_is_refused_unless_zero),
        cmocka_unit_test(a_senseless_shape_is_refused),
        cmocka_unit_test(a_bad_config_file_names_the_key),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
