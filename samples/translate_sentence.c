// Translates one sentence:
//     sample_translate_sentence MODEL_DIR "A sentence."
#include <stdio.h>
#include <vkseq/vkseq.h>

static void print_message(void *user, enum vks_log_level level, const char *text) {
    (void)user;
    (void)level;
    fprintf(stderr, "%s\n", text);
}

int main(int argc, char **argv) {
    const struct vks_log log = {.write = print_message, .level = VKS_LOG_WARN};
    const struct vks_translator_params params = {.beam_size = 4, .normalize = 1, .log = &log};
    struct vks_device *device = NULL;
    struct vks_tokenizer *tokenizer = NULL;
    struct vks_model *model = NULL;
    struct vks_translator *translator = NULL;
    struct vks_translation *translation;
    if (argc != 3) {
        fprintf(stderr, "Usage: %s MODEL_DIR SENTENCE\n", argv[0]);
        return 2;
    }

    enum vks_status status = vks_device_create(NULL, &log, &device);
    if (status == VKS_OK)
        status = vks_tokenizer_load(argv[1], &log, &tokenizer);
    if (status == VKS_OK)
        status = vks_model_load(device, argv[1], &model);
    if (status == VKS_OK)
        status = vks_translator_create(model, tokenizer, &params, &translator);
    if (status == VKS_OK)
        status = vks_translate(translator, (const char *const[]){argv[2]}, 1, &translation);
    if (status == VKS_OK) {
        puts(translation->hypotheses[0].text);
        vks_translations_free(translation, 1);
    } else {
        fprintf(stderr, "%s\n", vks_status_text(status));
    }

    vks_translator_destroy(&translator);
    vks_model_destroy(&model);
    vks_tokenizer_destroy(&tokenizer);
    vks_device_destroy(&device);
    return status != VKS_OK;
}
