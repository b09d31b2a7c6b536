#include "support/golden.h"

#include "support/gpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *metadata(const struct golden *golden, const char *key) {
    const char *text = safetensors_metadata(golden->file, key);
    assert_non_null(text);
    return text;
}

static uint32_t metadata_u32(const struct golden *golden, const char *key) {
    return (uint32_t)strtoul(metadata(golden, key), NULL, 10);
}

static void load_parameters(const struct golden *golden) {
    struct weights *weights = &golden->model->weights;
    for (size_t i = 0; i < weights->num_named; i++) {
        const struct named_weight *weight = &weights->named[i];
        struct safetensors_info info;
        char name[WEIGHTS_NAME_BYTES + 8];
        snprintf(name, sizeof name, "param.%s", weight->name);
        assert_true(safetensors_find(golden->file, name, &info));
        float *values = malloc(named_weight_size(weight) * sizeof *values);
        assert_non_null(values);
        assert_int_equal(safetensors_read_f32(&info, values, named_weight_size(weight)), VKS_OK);
        assert_int_equal(named_weight_write(weights, PART_VALUE, weight, values), VKS_OK);
        free(values);
    }
}

void golden_open(struct vks_device *device, const char *path, struct golden *golden) {
    assert_int_equal(safetensors_open(path, &gpu_log, &golden->file), VKS_OK);
    bool is_gelu = strcmp(metadata(golden, "activation_function"), "gelu") == 0;
    const struct vks_model_config config = {
        .source_vocab = metadata_u32(golden, "vocab_size"),
        .target_vocab = metadata_u32(golden, "vocab_size"),
        .width = metadata_u32(golden, "d_model"),
        .ffn_width = metadata_u32(golden, "encoder_ffn_dim"),
        .num_heads = metadata_u32(golden, "encoder_attention_heads"),
        .encoder_layers = metadata_u32(golden, "encoder_layers"),
        .decoder_layers = metadata_u32(golden, "decoder_layers"),
        .pre_norm = strcmp(metadata(golden, "normalize_before"), "true") == 0,
        .activation = is_gelu ? VKS_GELU : VKS_RELU,
    };
    assert_int_equal(vks_model_create(device, &config, 1, &golden->model), VKS_OK);
    load_parameters(golden);
}

void golden_close(struct golden *golden) {
    vks_model_destroy(&golden->model);
    safetensors_close(&golden->file);
}

const int32_t *golden_ints(const struct golden *golden, const char *name, size_t *num) {
    struct safetensors_info info;
    assert_true(safetensors_find(golden->file, name, &info));
    assert_int_equal(info.dtype, SAFETENSORS_I32);
    *num = info.num_elements;
    return (const int32_t *)(const void *)info.data;
}
