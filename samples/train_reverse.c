// Trains a model to reverse sequences of 3 to 10 symbols, in the current folder, and tries it on
// 1,000 others: sample_train_reverse [UPDATES]
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vkseq/vkseq.h>

enum { TRAIN_PAIRS = 60000, TEST_PAIRS = 1000, TEXT_BYTES = 32, DEFAULT_UPDATES = 3000 };

static void print_message(void *user, enum vks_log_level level, const char *text) {
    (void)user, (void)level, fprintf(stderr, "%s\n", text);
}

static void check(enum vks_status status) {
    if (status != VKS_OK)
        exit(1); // the log has said why
}

// A random sequence, "c a b", and its reverse. A sixteenth of all sequences is for testing alone.
static void make_pair(bool is_test, char source[TEXT_BYTES], char target[TEXT_BYTES]) {
    int sum, last = 2 * (2 + rand() % 8);
    do {
        sum = 0;
        for (int i = 0; i <= last; i += 2) {
            int symbol = rand() % 32;
            sum += symbol;
            source[i] = target[last - i] = "abcdefghijklmnopqrstuvwxyz012345"[symbol];
            source[i + 1] = target[i + 1] = i < last ? ' ' : '\0';
        }
    } while (is_test != (sum % 16 == 0));
}

static bool write_text(const char *source_path, const char *target_path) {
    char source[TEXT_BYTES], target[TEXT_BYTES];
    FILE *source_file = fopen(source_path, "w"), *target_file = fopen(target_path, "w");
    for (int i = 0; i < TRAIN_PAIRS && source_file && target_file; i++) {
        make_pair(false, source, target);
        fprintf(source_file, "%s\n", source);
        fprintf(target_file, "%s\n", target);
    }
    return source_file && target_file && !fclose(source_file) && !fclose(target_file);
}

static void test(struct vks_translator *translator) {
    static char sources[TEST_PAIRS][TEXT_BYTES], targets[TEST_PAIRS][TEXT_BYTES];
    static const char *lines[TEST_PAIRS];
    struct vks_translation *results;
    int num_right = 0;
    for (int i = 0; i < TEST_PAIRS; i++) {
        make_pair(true, sources[i], targets[i]);
        lines[i] = sources[i];
    }
    check(vks_translate(translator, lines, TEST_PAIRS, &results));
    for (int i = 0; i < TEST_PAIRS; i++)
        num_right += !strcmp(results[i].hypotheses[0].text, targets[i]);
    printf("%d of %d right\n", num_right, TEST_PAIRS);
    vks_translations_free(results, TEST_PAIRS);
}

int main(int argc, char **argv) {
    const struct vks_log log = {.write = print_message, .level = VKS_LOG_INFO};
    const struct vks_translator_params search = {.beam_size = 1, .log = &log};
    const char *const source = "reverse.source", *const target = "reverse.target";
    const struct vks_tokenizer_train_params vocabulary = {
        .source_paths = &source, .num_source_paths = 1, .vocab_size = 84,
        .options = "--byte_fallback=false", .log = &log};
    struct vks_model_config config;
    struct vks_trainer_params training;
    struct vks_device *device;
    struct vks_tokenizer *tokenizer;
    struct vks_model *model;
    struct vks_trainer *trainer;
    struct vks_translator *translator;
    vks_trainer_defaults(&training);
    training.model_dir = ".";
    training.mini_batch_words = 512;
    training.dropout = 0;
    training.schedule = VKS_SCHEDULE_LINEAR;
    training.after_updates = argc > 1 ? strtoull(argv[1], NULL, 10) : DEFAULT_UPDATES;
    training.train_source = source;
    training.train_target = target;
    training.log = &log;
    check(write_text(source, target) ? vks_tokenizer_train(&vocabulary, &tokenizer) : VKS_ERR_IO);
    check(vks_model_config_preset("tiny", &config));
    config.pre_norm = true;
    config.source_vocab = config.target_vocab = vks_tokenizer_vocab_size(tokenizer, VKS_TARGET);
    check(vks_device_create(NULL, &log, &device));
    check(vks_model_create(device, &config, 1, &model));
    check(vks_tokenizer_save(tokenizer, training.model_dir));
    check(vks_trainer_create(&training, model, tokenizer, &trainer));
    check(vks_trainer_run(trainer));
    check(vks_translator_create(model, tokenizer, &search, &translator));
    test(translator);
    vks_translator_destroy(&translator);
    vks_trainer_destroy(&trainer);
    vks_model_destroy(&model);
    vks_tokenizer_destroy(&tokenizer);
    vks_device_destroy(&device);
}
