// special:model.yml, in a model that has the arrays that sizes come from.
#include "fuzz.h"

#include "io/marian_file.h"
#include "model/marian_config.h"

#include <stdio.h>

enum { HEADER_BYTES = 32, NUM_ARRAYS = 4, MAX_TEXT = 4096 };

static unsigned char *put(unsigned char *at, uint64_t value, size_t num_bytes) {
    for (size_t i = 0; i < num_bytes; i++)
        *at++ = (unsigned char)(value >> 8 * i);
    return at;
}

// A .bin file of arrays of one row, and the text.
static size_t make_file(const uint8_t *text, size_t num_bytes, unsigned char *file) {
    static const struct {
        const char *name;
        uint32_t cols;
    } arrays[NUM_ARRAYS] = {
        {"Wemb", 32}, {"encoder_l1_ffn_W1", 64}, {"decoder_l1_ffn_W1", 64}, {"Wpos", 32}};
    static const char text_name[] = "special:model.yml";
    unsigned char *at = put(put(file, 1, 8), NUM_ARRAYS + 1, 8);
    for (size_t i = 0; i < NUM_ARRAYS; i++) {
        at = put(put(at, strlen(arrays[i].name) + 1, 8), 0x404, 8);
        at = put(put(at, 2, 8), 4 * 4 * arrays[i].cols, 8);
    }
    at = put(put(put(put(at, sizeof text_name, 8), 0x101, 8), 1, 8), num_bytes, 8);
    for (size_t i = 0; i < NUM_ARRAYS; i++)
        at = (unsigned char *)memcpy(at, arrays[i].name, strlen(arrays[i].name) + 1) +
             strlen(arrays[i].name) + 1;
    at = (unsigned char *)memcpy(at, text_name, sizeof text_name) + sizeof text_name;
    for (size_t i = 0; i < NUM_ARRAYS; i++)
        at = put(put(at, 4, 4), arrays[i].cols, 4);
    at = put(put(at, num_bytes, 4), 0, 8);
    for (size_t i = 0; i < NUM_ARRAYS; i++)
        at = (unsigned char *)memset(at, 0, 4 * 4 * arrays[i].cols) + 4 * 4 * arrays[i].cols;
    memcpy(at, text, num_bytes);
    return (size_t)(at - file) + num_bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    static unsigned char bytes[1 << 14];
    size_t num_messages;
    struct vks_log log = fuzz_log(&num_messages);
    struct marian_file *file;
    struct vks_model_config config;
    float gate = 0.0f;
    if (num_bytes == 0 || num_bytes > MAX_TEXT)
        return 0;
    size_t file_bytes = make_file(data, num_bytes, bytes);
    CHECK(marian_file_parse(bytes, file_bytes, "input", &log, &file) == VKS_OK);
    if (fuzz_is_ok(marian_config_read(file, "input", &log, &config, &gate), num_messages)) {
        CHECK(config.width == 32 && config.ffn_width == 64 && gate >= 1.0f);
        CHECK(config.decoder_layers <= VKS_MAX_LAYERS && config.pad_id < config.target_vocab);
    }
    marian_file_close(&file);
    return 0;
}
