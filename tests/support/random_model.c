#include "support/random_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// How much louder than at the start of training; </s> once more than other words.
static const float EOS_BIAS = 8.0f;
static const float OUTPUT_GAIN = 2.0f, EOS_GAIN = 2.0f, LAYER_GAIN = 2.0f, EMBEDDING_GAIN = 3.0f;

static void amplify(const struct vks_model_config *config, const struct named_weight *weight,
                    float *values) {
    bool is_output = strcmp(weight->name, "lm_head.weight") == 0;
    bool is_layer = weight->num_dims == 2 && strstr(weight->name, ".layers.");
    bool is_embedding = strstr(weight->name, "embed_tokens") != NULL;
    bool is_bias = strcmp(weight->name, "final_logits_bias") == 0;
    for (uint64_t i = 0; i < named_weight_size(weight); i++) {
        if (is_bias)
            values[i] = i == config->eos_id ? EOS_BIAS : 0.1f * (float)(i % 5);
        if (is_output)
            values[i] *= i / config->width == config->eos_id ? OUTPUT_GAIN * EOS_GAIN : OUTPUT_GAIN;
        if (is_layer)
            values[i] *= LAYER_GAIN;
        if (is_embedding)
            values[i] *= EMBEDDING_GAIN;
    }
}

struct vks_model *random_model_create_as(struct vks_device *device,
                                         const struct vks_model_config *base, uint32_t seed) {
    struct vks_model_config config = *base;
    struct vks_model *model;
    config.source_vocab = config.target_vocab = RANDOM_MODEL_VOCAB;
    config.width = 32;
    config.ffn_width = 64;
    config.num_heads = 4;
    config.encoder_layers = config.decoder_layers = 2;
    config.tying = VKS_TIED_NONE;
    assert_int_equal(vks_model_create(device, &config, seed, &model), VKS_OK);
    for (size_t i = 0; i < model->weights.num_named; i++) {
        const struct named_weight *weight = &model->weights.named[i];
        float *values = malloc(named_weight_size(weight) * sizeof *values);
        assert_non_null(values);
        assert_int_equal(named_weight_read(&model->weights, PART_VALUE, weight, values), VKS_OK);
        amplify(&model->config, weight, values);
        assert_int_equal(named_weight_write(&model->weights, PART_VALUE, weight, values), VKS_OK);
        free(values);
    }
    return model;
}

struct vks_model *random_model_create(struct vks_device *device, bool pre_norm, uint32_t seed) {
    return random_model_create_as(device, &(struct vks_model_config){.pre_norm = pre_norm}, seed);
}
