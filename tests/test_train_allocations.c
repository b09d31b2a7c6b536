// Once the programs are built, training takes no more memory, neither the host's nor the device's.
#include "base/inject.h"
#include "scratch.h"
#include "support/gpu.h"
#include "vkseq/trainer.h"

#include <stdio.h>

enum { NUM_LINES = 1000, FIRST_UPDATE = 5, LAST_UPDATE = 30 };

struct counts {
    uint64_t first, last;
};

static bool count(void *user, const struct vks_train_progress *progress) {
    struct counts *counts = user;
    if (progress->update == FIRST_UPDATE)
        counts->first = inject_num_passed();
    if (progress->update == LAST_UPDATE)
        counts->last = inject_num_passed();
    return true;
}

static void write_text(const char *path) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < NUM_LINES; i++) {
        for (int j = 0; j < 3 + i % 5; j++)
            fprintf(file, "%c ", 'a' + (i * 7 + j * 3) % 11);
        fputc('\n', file);
    }
    assert_int_equal(fclose(file), 0);
}

// Counts what a kind of fault passes between two updates of one epoch; the fault itself is too far
// off to happen.
static struct counts train_and_count(struct vks_device *device, const char *faults) {
    void *state;
    struct counts counts = {0};
    struct vks_tokenizer *tokenizer;
    struct vks_model *model;
    struct vks_trainer *trainer;
    struct vks_model_config config = {
        .width = 16, .ffn_width = 32, .num_heads = 2, .encoder_layers = 1, .decoder_layers = 1};
    scratch_create(&state);
    struct scratch *scratch = state;
    char *text = scratch_path(scratch, "text");
    write_text(text);
    const struct vks_tokenizer_train_params vocabulary = {
        .source_paths = (const char *const *)&text,
        .num_source_paths = 1,
        .vocab_size = 40,
        .options = "--byte_fallback=false --hard_vocab_limit=false",
        .log = &gpu_log};
    assert_int_equal(vks_tokenizer_train(&vocabulary, &tokenizer), VKS_OK);
    config.source_vocab = config.target_vocab = vks_tokenizer_vocab_size(tokenizer, VKS_TARGET);
    assert_int_equal(vks_model_create(device, &config, 1, &model), VKS_OK);
    struct vks_trainer_params params;
    vks_trainer_defaults(&params);
    params.model_dir = scratch->dir;
    params.train_source = params.train_target = text;
    params.mini_batch_words = 64;
    params.max_length = 20;
    params.after_updates = LAST_UPDATE;
    params.on_update = count;
    params.user = &counts;
    params.log = &gpu_log;
    assert_true(inject_set(faults));
    assert_int_equal(vks_trainer_create(&params, model, tokenizer, &trainer), VKS_OK);
    assert_int_equal(vks_trainer_run(trainer), VKS_OK);
    vks_trainer_destroy(&trainer);
    inject_set(NULL);
    vks_model_destroy(&model);
    vks_tokenizer_destroy(&tokenizer);
    free(text);
    scratch_destroy(&state);
    return counts;
}

static void updates_take_no_host_memory(void **state) {
    struct counts counts = train_and_count(*state, "alloc:1000000000");
    assert_true(counts.first > 0);
    assert_int_equal(counts.last, counts.first);
}

static void updates_take_no_device_memory(void **state) {
    struct counts counts = train_and_count(*state, "device-alloc:1000000000");
    assert_true(counts.first > 0);
    assert_int_equal(counts.last, counts.first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_take_no_host_memory),
        cmocka_unit_test(updates_take_no_device_memory),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
