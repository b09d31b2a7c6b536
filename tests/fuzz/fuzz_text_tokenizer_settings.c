// The JSON files beside a vocabulary. The first byte of the input says which one the rest is.
#include "fuzz.h"

#include "text/tokenizer_settings.h"
#include "text/vocab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    if (num_bytes == 0)
        return 0;
    size_t num_messages;
    struct vks_log log = fuzz_log(&num_messages);
    char *text = fuzz_text(data + 1, num_bytes - 1);
    struct tokenizer_settings settings;
    tokenizer_settings_init(&settings);
    enum vks_status status = tokenizer_settings_parse(data[0] % SETTINGS_NUM_FILES, text,
                                                      num_bytes - 1, "input", &log, &settings);
    fuzz_is_ok(status, num_messages);
    CHECK(settings.first_id < VOCAB_MAX_SIZE && settings.offset < VOCAB_MAX_SIZE);
    for (size_t i = 0; i < settings.num_added; i++)
        CHECK(settings.added[i].id < VOCAB_MAX_SIZE && settings.added[i].text[0]);
    tokenizer_settings_finish(&settings);
    free(text);
    return 0;
}
