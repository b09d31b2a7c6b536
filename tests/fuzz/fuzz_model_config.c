// config.json, and behind a NUL generation_config.json: the numbers in it are the configuration's,
// and one that is read is the same when it is printed and read again.
#include "fuzz.h"

#include "model/config.h"

#include <cjson/cJSON.h>

static void check_number(const cJSON *json, const char *key, uint32_t value) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
    CHECK(!cJSON_IsNumber(item) || item->valuedouble == value);
}

static void check_numbers(const cJSON *json, const struct vks_model_config *config) {
    if (config->model_class == VKS_CLASS_OWN || config->model_class == VKS_CLASS_MARIAN)
        check_number(json, "decoder_vocab_size", config->target_vocab);
    check_number(json, "vocab_size", config->source_vocab);
    check_number(json, "d_model", config->width);
    check_number(json, "encoder_ffn_dim", config->ffn_width);
    check_number(json, "decoder_ffn_dim", config->decoder_ffn_width);
    check_number(json, "encoder_attention_heads", config->num_heads);
    check_number(json, "decoder_attention_heads", config->decoder_heads);
    check_number(json, "encoder_layers", config->encoder_layers);
    check_number(json, "decoder_layers", config->decoder_layers);
    check_number(json, "max_position_embeddings", config->max_positions);
    if (config->model_class == VKS_CLASS_OWN)
        check_number(json, "position_offset", config->position_offset);
    check_number(json, "pad_token_id", config->pad_id);
    check_number(json, "eos_token_id", config->eos_id);
    check_number(json, "decoder_start_token_id", config->start_id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    size_t num_messages;
    struct vks_log log = fuzz_log(&num_messages);
    struct vks_model_config config, again;
    char *text = fuzz_text(data, num_bytes);
    struct config_text own = {text, strlen(text), "input"};
    struct config_text generation = {own.text + own.num_bytes + 1, 0, "generation"};
    bool is_alone = own.num_bytes == num_bytes;
    if (!is_alone)
        generation.num_bytes = num_bytes - own.num_bytes - 1;
    enum vks_status status = config_parse(&own, is_alone ? NULL : &generation, &log, &config);
    if (!fuzz_is_ok(status, num_messages)) {
        free(text);
        return 0;
    }
    cJSON *json = cJSON_ParseWithLength(own.text, own.num_bytes);
    check_numbers(json, &config);
    cJSON_Delete(json);
    char *printed = config_print(&config, NULL);
    CHECK(printed);
    const struct config_text copy = {printed, strlen(printed), "printed"};
    CHECK(config_parse(&copy, NULL, NULL, &again) == VKS_OK);
    char *printed_again = config_print(&again, NULL);
    CHECK(printed_again && strcmp(printed, printed_again) == 0);
    free(printed);
    free(printed_again);
    free(text);
    return 0;
}
