// tokenizer.json as a SentencePiece model, which then cuts a text or is refused.
#include "fuzz.h"

#include "text/spm.h"
#include "text/tokenizer_json.h"

static enum vks_status count_piece(void *user, const char *piece, size_t piece_bytes) {
    size_t *num = user;
    CHECK(piece[piece_bytes] == '\0');
    return ++*num < 4096 ? VKS_OK : VKS_ERR_CANCELLED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    static const struct spm_layout layout = {
        .pieces = {"<unk>", "<s>", "</s>"}, .unk = 0, .bos = 1, .eos = 2, .pad = -1, .first_id = 4};
    size_t num_messages, num_pieces = 0, model_bytes = 0;
    struct vks_log log = fuzz_log(&num_messages);
    char *text = fuzz_text(data, num_bytes);
    unsigned char *model = NULL;
    struct tokenizer_settings settings;
    struct spm *spm = NULL;
    const struct tokenizer_json json = {
        .json = text, .num_bytes = num_bytes, .name = "input", .log = &log, .layout = &layout};
    tokenizer_settings_init(&settings);
    if (fuzz_is_ok(tokenizer_json_to_spm(&json, &settings, &model, &model_bytes), num_messages) &&
        fuzz_is_ok(spm_load(model, model_bytes, "made", &log, &spm), num_messages)) {
        CHECK(spm_num_pieces(spm) >= 3);
        if (spm_encode(spm, NULL, "ab ba \xe4\xb8\xad", 9, count_piece, &num_pieces) == VKS_OK)
            CHECK(num_pieces > 0);
    }
    spm_destroy(&spm);
    tokenizer_settings_finish(&settings);
    free(model);
    free(text);
    return 0;
}
