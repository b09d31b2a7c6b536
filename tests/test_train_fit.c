// Batches that fill a workspace: what is found fits, stays when training goes on, and is worked
// through in parts when memory fails all the same.
#include "base/check.h"
#include "base/inject.h"
#include "scratch.h"
#include "support/gpu.h"
#include "train/batch_fit.h"
#include "train/trainer_object.h"
#include "vk/budget.h"

#include <math.h>
#include <stdio.h>

enum { NUM_LINES = 300, MAX_LENGTH = 12, MIB = 1 << 20 };

struct fixture {
    struct vks_device *device;
    struct scratch *scratch; // its log, and what follows, of the last training
    char *source, *target, *alignment;
    struct vks_tokenizer *tokenizer;
    struct vks_model_config config;
    struct vks_log log;
    char warning[512], fitted[512];
    double costs[64];
    uint32_t num_costs, words, part_words;
};

static void write_log(void *user, enum vks_log_level level, const char *text) {
    struct fixture *f = user;
    if (level == VKS_LOG_WARN)
        snprintf(f->warning, sizeof f->warning, "%s", text);
    if (strstr(text, "[batching]"))
        snprintf(f->fitted, sizeof f->fitted, "%s", text);
}

static bool take_cost(void *user, const struct vks_train_progress *progress) {
    struct fixture *f = user;
    if (f->num_costs < COUNT_OF(f->costs))
        f->costs[f->num_costs++] = progress->cost;
    return true;
}

static void write_texts(const struct fixture *f) {
    FILE *files[] = {fopen(f->source, "w"), fopen(f->target, "w"), fopen(f->alignment, "w")};
    assert_true(files[0] && files[1] && files[2]);
    for (int i = 0; i < NUM_LINES; i++) {
        for (int j = 0; j < 2 + i % 7; j++) {
            fprintf(files[0], "%c ", 'a' + (i + j * j) % 11);
            fprintf(files[1], "%c ", 'a' + (i + 3 * j) % 11);
            fprintf(files[2], "%d-%d ", j, j);
        }
        for (int k = 0; k < 3; k++)
            fputc('\n', files[k]);
    }
    for (int k = 0; k < 3; k++)
        assert_int_equal(fclose(files[k]), 0);
}

static int open_fixture(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    void *scratch;
    assert_non_null(f);
    assert_true(inject_set(""));
    f->log = (struct vks_log){write_log, f, VKS_LOG_INFO};
    enum vks_status status = vks_device_create(NULL, &f->log, &f->device);
    if (status == VKS_ERR_NO_DEVICE)
        exit(77);
    assert_int_equal(status, VKS_OK);
    scratch_create(&scratch);
    f->scratch = scratch;
    f->source = scratch_path(f->scratch, "source");
    f->target = scratch_path(f->scratch, "target");
    f->alignment = scratch_path(f->scratch, "alignment");
    write_texts(f);
    const struct vks_tokenizer_train_params vocabulary = {
        .source_paths = (const char *const *)&f->source,
        .num_source_paths = 1,
        .vocab_size = 40,
        .options = "--model_type=word --byte_fallback=false --hard_vocab_limit=false",
        .log = &f->log};
    assert_int_equal(vks_tokenizer_train(&vocabulary, &f->tokenizer), VKS_OK);
    uint32_t vocab = vks_tokenizer_vocab_size(f->tokenizer, VKS_TARGET);
    f->config = (struct vks_model_config){.source_vocab = vocab,
                                          .target_vocab = vocab,
                                          .width = 16,
                                          .ffn_width = 32,
                                          .num_heads = 2,
                                          .encoder_layers = 1,
                                          .decoder_layers = 1};
    *state = f;
    return 0;
}

static int close_fixture(void **state) {
    struct fixture *f = *state;
    void *scratch = f->scratch;
    inject_set(NULL);
    vks_tokenizer_destroy(&f->tokenizer);
    vks_device_destroy(&f->device);
    free(f->source);
    free(f->target);
    free(f->alignment);
    scratch_destroy(&scratch);
    free(f);
    return 0;
}

static struct vks_trainer_params base_params(struct fixture *f) {
    struct vks_trainer_params params;
    vks_trainer_defaults(&params);
    params.train_source = params.valid_source = f->source;
    params.train_target = params.valid_target = f->target;
    params.guided_alignment = f->alignment;
    params.max_length = MAX_LENGTH;
    params.mini_batch_words = 0;
    params.mini_batch_fit = true;
    params.workspace_bytes = MIB;
    params.after_updates = 6;
    params.warmup = 2;
    params.on_update = take_cost;
    params.user = f;
    params.log = &f->log;
    return params;
}

// Trains in the folder of this name, from its training state on if there is one.
static enum vks_status train(struct fixture *f, const char *name,
                             const struct vks_trainer_params *given) {
    struct vks_trainer_params params = *given;
    struct vks_model *model;
    struct vks_trainer *trainer = NULL;
    char *dir = scratch_path(f->scratch, name);
    params.model_dir = dir;
    f->num_costs = 0;
    f->warning[0] = f->fitted[0] = '\0';
    enum vks_status status = vks_model_create(f->device, &f->config, 1, &model);
    if (status == VKS_OK) {
        status = vks_trainer_create(&params, model, f->tokenizer, &trainer);
        if (status == VKS_OK) {
            f->words = trainer->state.mini_batch_words;
            f->part_words = trainer->part_words;
            status = vks_trainer_run(trainer);
        }
        vks_trainer_destroy(&trainer);
        vks_model_destroy(&model);
    }
    free(dir);
    return status;
}

static void assert_same_models(const struct fixture *f, const char *a, const char *b) {
    const char *const names[] = {a, b};
    unsigned char *data[2];
    size_t num_bytes[2];
    for (int i = 0; i < 2; i++) {
        char *dir = scratch_path(f->scratch, names[i]), *path = path_join(dir, "model.safetensors");
        assert_int_equal(file_read(path, 1 << 28, NULL, &data[i], &num_bytes[i]), VKS_OK);
        free(path);
        free(dir);
    }
    assert_int_equal(num_bytes[0], num_bytes[1]);
    assert_memory_equal(data[0], data[1], num_bytes[0]);
    free(data[0]);
    free(data[1]);
}

static void measured_bytes_are_those_of_the_program(void **state) {
    struct fixture *f = *state;
    struct vks_model *model;
    struct loss_program loss;
    uint64_t measured;
    assert_int_equal(vks_model_create(f->device, &f->config, 1, &model), VKS_OK);
    assert_int_equal(model_prepare_training(model, PARTS_ADAM), VKS_OK);
    const struct loss_params params = {.config = &model->config,
                                       .weights = &model->weights,
                                       .capacity = {300, 200, 100},
                                       .with_gradient = true};
    assert_int_equal(loss_program_measure(f->device, &params, &measured), VKS_OK);
    assert_int_equal(loss_program_init(f->device, &params, &loss), VKS_OK);
    assert_int_equal(measured, program_bytes(loss.program));
    loss_program_finish(&loss);
    vks_model_destroy(&model);
}

static void fitted_batches_are_the_largest_that_fit(void **state) {
    struct fixture *f = *state;
    struct vks_model *model;
    struct batch_fit fit;
    assert_int_equal(vks_model_create(f->device, &f->config, 1, &model), VKS_OK);
    assert_int_equal(model_prepare_training(model, PARTS_ADAM), VKS_OK);
    const struct loss_params train = {
        .config = &model->config, .weights = &model->weights, .with_gradient = true};
    struct loss_params larger = train;
    struct batch_fit_params params = {.device = f->device,
                                      .train = &train,
                                      .workspace_bytes = 2 * MIB,
                                      .least_words = 13,
                                      .most_words = 1000000,
                                      .log = &f->log};
    uint64_t bytes;
    assert_int_equal(batch_fit_find(&params, &fit), VKS_OK);
    assert_true(fit.words > 100 && fit.bytes <= params.workspace_bytes);
    larger.capacity = (struct feed_capacity){fit.words + 1, fit.words + 1, fit.words + 1};
    assert_int_equal(loss_program_measure(f->device, &larger, &bytes), VKS_OK);
    assert_true(bytes > params.workspace_bytes);
    params.most_words = 50;
    assert_int_equal(batch_fit_find(&params, &fit), VKS_OK);
    assert_int_equal(fit.words, 50);
    // What the device cannot bind does not fit, however large the workspace.
    params.most_words = UINT32_MAX;
    params.workspace_bytes = UINT64_MAX - 1;
    assert_int_equal(batch_fit_find(&params, &fit), VKS_OK);
    assert_true(fit.words * 32.0 * sizeof(float) <=
                (double)vks_device_info(f->device)->max_binding_bytes);
    params.workspace_bytes = 1000;
    assert_int_equal(batch_fit_find(&params, &fit), VKS_ERR_DEVICE_OOM);
    vks_model_destroy(&model);
}

static void fitted_training_goes_on_to_the_same_bits(void **state) {
    struct fixture *f = *state;
    struct vks_trainer_params params = base_params(f);
    params.dropout_attention = params.dropout_ffn = 0.1f;
    assert_int_equal(train(f, "whole", &params), VKS_OK);
    uint32_t words = f->words;
    assert_true(words > MAX_LENGTH && f->part_words == words);
    assert_non_null(strstr(f->fitted, "words a side take"));
    params.after_updates = 3;
    assert_int_equal(train(f, "parts", &params), VKS_OK);
    // Another workspace does not matter then.
    params.after_updates = 6;
    params.workspace_bytes = 3 * MIB;
    assert_int_equal(train(f, "parts", &params), VKS_OK);
    assert_int_equal(f->words, words);
    assert_non_null(strstr(f->fitted, "As before"));
    assert_same_models(f, "whole", "parts");
    params.mini_batch_fit = false;
    params.mini_batch_words = words;
    assert_int_equal(train(f, "parts", &params), VKS_ERR_ARGUMENT);
}

static void new_epochs_may_have_batches_of_another_size(void **state) {
    struct fixture *f = *state;
    struct vks_trainer_params params = base_params(f);
    params.after_updates = 1;
    assert_int_equal(train(f, "epochs", &params), VKS_OK);
    uint32_t words = f->words;
    params.no_restore_corpus = true;
    params.after_updates = 2;
    params.workspace_bytes = 3 * MIB;
    assert_int_equal(train(f, "epochs", &params), VKS_OK);
    assert_int_equal(f->words, words);
    params.after_updates = 3;
    params.mini_batch_fit = false;
    params.mini_batch_words = words / 2;
    assert_int_equal(train(f, "epochs", &params), VKS_OK);
    assert_int_equal(f->words, words / 2);
    params.no_restore_corpus = false;
    params.after_updates = 4;
    assert_int_equal(train(f, "epochs", &params), VKS_OK);
    params.no_restore_corpus = params.mini_batch_fit = true;
    params.mini_batch_words = 0;
    params.after_updates = 5;
    assert_int_equal(train(f, "epochs", &params), VKS_OK);
    assert_true(f->words > words);
}

static void given_words_bound_what_is_fitted(void **state) {
    struct fixture *f = *state;
    struct vks_trainer_params params = base_params(f);
    params.mini_batch_words = 40;
    params.after_updates = 1;
    assert_int_equal(train(f, "bound", &params), VKS_OK);
    assert_int_equal(f->words, 40);
}

// The device memory that this machine has is more than a megabyte, whoever says so.
static void workspace_may_be_the_devices(void **state) {
    struct fixture *f = *state;
    struct vks_trainer_params params = base_params(f);
    bool has_budget = f->device->has_memory_budget;
    assert_true(budget_bytes(f->device) > MIB);
    f->device->has_memory_budget = false;
    assert_true(budget_bytes(f->device) > MIB);
    f->device->has_memory_budget = has_budget;
    params.workspace_bytes = 0;
    params.mini_batch_words = 500;
    params.after_updates = 1;
    assert_int_equal(train(f, "auto", &params), VKS_OK);
    assert_int_equal(f->words, 500);
}

// A device with so little memory that all of its budget is taken.
static void budget_leaves_room_for_the_rest(void **state) {
    enum { LIMIT = 48 * MIB };
    struct fixture *f = *state;
    struct vks_trainer_params params = base_params(f);
    uint64_t limit = f->device->memory_limit_bytes;
    params.workspace_bytes = 0;
    params.after_updates = 2;
    f->device->memory_limit_bytes = LIMIT;
    assert_true(budget_bytes(f->device) < LIMIT);
    assert_int_equal(train(f, "little", &params), VKS_OK);
    assert_true(f->words > 1000 && f->part_words == f->words);
    f->device->memory_limit_bytes = limit;
}

// Without dropout, parts give what the whole gives but for rounding.
static void batches_are_split_when_memory_fails(void **state) {
    struct fixture *f = *state;
    struct vks_trainer_params params = base_params(f);
    double whole[COUNT_OF(f->costs)];
    char name[32];
    uint32_t num_split = 0;
    params.dropout = 0;
    assert_int_equal(train(f, "unsplit", &params), VKS_OK);
    uint32_t words = f->words, num_costs = f->num_costs;
    memcpy(whole, f->costs, sizeof whole);
    assert_int_equal(num_costs, params.after_updates);
    for (uint32_t i = 1;; i++) {
        char list[32];
        snprintf(name, sizeof name, "split%u", i);
        snprintf(list, sizeof list, "device-alloc:%u", i);
        assert_true(inject_set(list));
        enum vks_status status = train(f, name, &params);
        bool has_failed = inject_num_done() > 0;
        assert_true(inject_set(""));
        if (!has_failed)
            break;
        // Parameters and moments, and what saving takes, cannot be split.
        assert_true(status == VKS_OK || status == VKS_ERR_DEVICE_OOM);
        if (status != VKS_OK || f->part_words == f->words)
            continue;
        num_split++;
        assert_int_equal(f->words, words);
        assert_int_equal(f->part_words, words / 2);
        assert_non_null(strstr(f->warning, "not repeated bit by bit"));
        assert_int_equal(f->num_costs, num_costs);
        for (uint32_t j = 0; j < num_costs; j++)
            assert_true(fabs(f->costs[j] - whole[j]) < 1e-4 * whole[j]);
    }
    assert_true(num_split > 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measured_bytes_are_those_of_the_program),
        cmocka_unit_test(fitted_batches_are_the_largest_that_fit),
        cmocka_unit_test(fitted_training_goes_on_to_the_same_bits),
        cmocka_unit_test(new_epochs_may_have_batches_of_another_size),
        cmocka_unit_test(given_words_bound_what_is_fitted),
        cmocka_unit_test(workspace_may_be_the_devices),
        cmocka_unit_test(budget_leaves_room_for_the_rest),
        cmocka_unit_test(batches_are_split_when_memory_fails),
    };
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
