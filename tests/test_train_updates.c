// Updates of several batches, and what happens when they diverge.
#include "base/check.h"
#include "io/files.h"
#include "model/model_object.h"
#include "scratch.h"
#include "support/gpu.h"
#include "vkseq/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NUM_LINES = 120, MAX_MESSAGES = 64 };

struct fixture {
    void *scratch;
    char *text;
    struct vks_log log;
    char warnings[MAX_MESSAGES][256], error[256];
    uint32_t num_warnings, num_saves;
    struct vks_device *device;
    struct vks_tokenizer *tokenizer;
    struct vks_model *model;
    struct vks_trainer *trainer;
    uint32_t num_batches, stop_after;         // as on_update sees them
    uint32_t num_scores, first_bad, last_bad; // between which validations the model has a NaN
    struct vks_train_progress progress;
};

static void write_log(void *user, enum vks_log_level level, const char *text) {
    struct fixture *f = user;
    if (level == VKS_LOG_WARN && f->num_warnings < MAX_MESSAGES)
        snprintf(f->warnings[f->num_warnings++], sizeof *f->warnings, "%s", text);
    if (level == VKS_LOG_ERROR)
        snprintf(f->error, sizeof f->error, "%s", text);
    f->num_saves += strncmp(text, "Saving", 6) == 0;
}

// Lines of `kinds` kinds.
static void write_text(const char *path, int kinds) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int line = 0; line < NUM_LINES; line++) {
        int i = line % kinds;
        for (int j = 0; j < 3 + i % 5; j++)
            fprintf(file, "%c ", 'a' + (i * 7 + j * 3) % 11);
        fputc('\n', file);
    }
    assert_int_equal(fclose(file), 0);
}

static void open_fixture(struct fixture *f, struct vks_device *device) {
    *f = (struct fixture){.device = device};
    f->log = (struct vks_log){write_log, f, VKS_LOG_INFO};
    scratch_create(&f->scratch);
    f->text = scratch_path(f->scratch, "text");
    write_text(f->text, NUM_LINES);
    const struct vks_tokenizer_train_params vocabulary = {
        .source_paths = (const char *const *)&f->text,
        .num_source_paths = 1,
        .vocab_size = 40,
        .options = "--byte_fallback=false --hard_vocab_limit=false",
        .log = &f->log};
    assert_int_equal(vks_tokenizer_train(&vocabulary, &f->tokenizer), VKS_OK);
    struct vks_model_config config = {
        .width = 16, .ffn_width = 32, .num_heads = 2, .encoder_layers = 1, .decoder_layers = 1};
    config.source_vocab = config.target_vocab = vks_tokenizer_vocab_size(f->tokenizer, VKS_TARGET);
    assert_int_equal(vks_model_create(device, &config, 1, &f->model), VKS_OK);
}

static void close_fixture(struct fixture *f) {
    vks_trainer_destroy(&f->trainer);
    vks_model_destroy(&f->model);
    vks_tokenizer_destroy(&f->tokenizer);
    free(f->text);
    scratch_destroy(&f->scratch);
}

static void put_weight(struct fixture *f, float value) {
    const struct parameter *beta = &f->model->weights.decoder.layers[0].self_norm.beta;
    float values[16] = {value};
    assert_int_equal(parameter_write(&f->model->weights.store, PART_VALUE, beta, 0, 1, values),
                     VKS_OK);
}

static bool on_update(void *user, const struct vks_train_progress *progress) {
    struct fixture *f = user;
    f->num_batches++;
    f->progress = *progress;
    return f->num_batches != f->stop_after;
}

// Called while the device rests.
static enum vks_status on_score(void *user, const char *metric, double *value) {
    struct fixture *f = user;
    (void)metric;
    f->num_scores++;
    if (f->num_scores == f->first_bad)
        put_weight(f, NAN);
    if (f->num_scores == f->last_bad)
        put_weight(f, 0);
    *value = NAN;
    return VKS_OK;
}

static struct vks_trainer_params defaults(struct fixture *f) {
    struct vks_trainer_params params;
    vks_trainer_defaults(&params);
    params.model_dir = ((struct scratch *)f->scratch)->dir;
    params.train_source = params.train_target = f->text;
    params.mini_batch_words = 200;
    params.max_length = 20;
    params.warmup = 1;
    params.on_update = on_update;
    params.user = f;
    params.log = &f->log;
    return params;
}

// The same with a NaN in the model from one validation to another.
static struct vks_trainer_params bad_between(struct fixture *f, uint32_t first, uint32_t last) {
    static const char *const metrics[] = {"damage"};
    struct vks_trainer_params params = defaults(f);
    params.valid_source = params.valid_target = f->text;
    params.on_score = on_score;
    params.valid_metrics = metrics;
    params.num_valid_metrics = 1;
    f->first_bad = first;
    f->last_bad = last;
    return params;
}

static enum vks_status train(struct fixture *f, const struct vks_trainer_params *params) {
    assert_int_equal(vks_trainer_create(params, f->model, f->tokenizer, &f->trainer), VKS_OK);
    return vks_trainer_run(f->trainer);
}

// All values of the model, in order; to be freed.
static float *read_values(struct vks_model *model, size_t *num) {
    const struct weights *weights = &model->weights;
    float *values = malloc(vks_model_num_parameters(model) * sizeof *values);
    assert_non_null(values);
    *num = 0;
    for (size_t i = 0; i < weights->num_named; i++) {
        assert_int_equal(
            named_weight_read(&model->weights, PART_VALUE, &weights->named[i], values + *num),
            VKS_OK);
        *num += named_weight_size(&weights->named[i]);
    }
    return values;
}

// Updates of so many pairs a batch and so many batches; before, if wanted, and after. To be freed.
static float *train_values(struct vks_device *device, uint32_t pairs, uint32_t delay,
                           float **before) {
    struct fixture f;
    size_t num;
    open_fixture(&f, device);
    struct vks_trainer_params params = defaults(&f);
    params.mini_batch = pairs;
    params.optimizer_delay = delay;
    params.shuffle = VKS_SHUFFLE_NONE;
    params.optimizer = VKS_SGD;
    params.learn_rate = 0.5f;
    params.beta1 = params.dropout = params.clip_norm = 0;
    params.after_updates = 5;
    if (before)
        *before = read_values(f.model, &num);
    assert_int_equal(train(&f, &params), VKS_OK);
    assert_int_equal(f.num_batches, 5 * max_u32(delay, 1));
    assert_int_equal(f.progress.update, 5);
    float *values = read_values(f.model, &num);
    close_fixture(&f);
    return values;
}

// float32 stays 20 times inside.
static const double TOLERANCE = 1e-5;

static void delayed_updates_equal_those_of_large_batches(void **state) {
    struct fixture f;
    float *before, *large = train_values(*state, 12, 0, &before);
    float *delayed = train_values(*state, 4, 3, NULL);
    double error = 0, change = 0;
    open_fixture(&f, *state);
    uint64_t num = vks_model_num_parameters(f.model);
    close_fixture(&f);
    for (uint64_t i = 0; i < num; i++) {
        error += pow((double)delayed[i] - (double)large[i], 2);
        change += pow((double)large[i] - (double)before[i], 2);
    }
    print_message("relative difference of the changes %.2e\n", sqrt(error / change));
    assert_true(change > 1e-3);
    assert_true(sqrt(error / change) <= TOLERANCE);
    free(before);
    free(large);
    free(delayed);
}

static void delay_in_words_ends_with_the_batch_that_reaches_them(void **state) {
    for (uint32_t more = 0; more < 2; more++) {
        struct fixture f;
        open_fixture(&f, *state);
        struct vks_trainer_params params = defaults(&f);
        write_text(f.text, 1); // each batch has as many words
        params.mini_batch = 5;
        params.after_updates = 1;
        assert_int_equal(train(&f, &params), VKS_OK);
        uint64_t words = f.progress.target_tokens;
        params.optimizer_delay_words = (uint32_t)(3 * words + more);
        params.after_updates = 5;
        vks_trainer_destroy(&f.trainer);
        assert_int_equal(train(&f, &params), VKS_OK);
        assert_int_equal(f.progress.update, 5);
        assert_int_equal(f.num_batches, 1 + 4 * (3 + more));
        assert_int_equal(f.progress.target_tokens, f.num_batches * words);
        close_fixture(&f);
    }
}

static void huge_rate_diverges_with_batch_and_norm_in_the_log(void **state) {
    struct fixture f;
    open_fixture(&f, *state);
    struct vks_trainer_params params = defaults(&f);
    params.optimizer = VKS_SGD;
    params.learn_rate = 1e30f;
    params.save_freq = 4;
    assert_int_equal(train(&f, &params), VKS_ERR_DIVERGED);
    assert_int_equal(f.num_warnings, 20);
    assert_non_null(strstr(f.warnings[0], "Ep. 1 : update 2 diverged at batch 2: cost "));
    assert_non_null(
        strstr(f.warnings[0], "gNorm nan; it is skipped, and the learning rate halved"));
    assert_non_null(strstr(f.error, "20 gradients in a row were not finite"));
    // None was saved but the first state.
    assert_int_equal(f.num_saves, 0);
    assert_true(isfinite(f.progress.cost));
    close_fixture(&f);
}

static void update_with_a_nan_is_skipped_and_training_goes_on(void **state) {
    struct fixture f;
    open_fixture(&f, *state);
    struct vks_trainer_params params = bad_between(&f, 2, 3);
    params.valid_freq = 2;
    params.after_updates = 10;
    params.save_freq = 6;
    assert_int_equal(train(&f, &params), VKS_OK);
    assert_int_equal(f.num_warnings, 2);
    assert_non_null(strstr(f.warnings[0], "update 5 diverged"));
    assert_non_null(strstr(f.warnings[1], "update 6 diverged"));
    assert_non_null(strstr(f.warnings[1], "cost nan, gNorm nan"));
    assert_int_equal(f.progress.update, 8);
    // A quarter of what the schedule gives for update 10 after a warm-up of 1.
    assert_true(fabs(f.progress.learn_rate - 1e-3 / sqrt(10) / 4) < 1e-9);
    // The save after the sixth waited for the seventh; another came at the end.
    assert_int_equal(f.num_saves, 2);
    close_fixture(&f);
}

static void delayed_update_is_skipped_as_one(void **state) {
    struct fixture f;
    open_fixture(&f, *state);
    struct vks_trainer_params params = bad_between(&f, 1, 2);
    params.valid_freq = 1;
    params.after_updates = 4;
    params.optimizer_delay = 3;
    params.mini_batch = 6;
    assert_int_equal(train(&f, &params), VKS_OK);
    assert_int_equal(f.num_warnings, 1);
    assert_non_null(strstr(f.warnings[0], "update 2 diverged at batch 6: cost nan, gNorm nan"));
    assert_int_equal(f.progress.update, 3);
    close_fixture(&f);
}

// Stopped after any batch of a delayed update, training goes on to the same bits.
static void resume_within_a_delay_is_bitwise(void **state) {
    float *whole = NULL;
    size_t num;
    for (uint32_t stop = 0; stop < 6; stop++) {
        struct fixture f;
        open_fixture(&f, *state);
        struct vks_trainer_params params = defaults(&f);
        params.mini_batch = 6;
        params.optimizer_delay = 3;
        params.exponential_smoothing = 0.05f;
        params.after_updates = 6;
        params.lr_decay = 0.5f;
        params.lr_decay_strategy = VKS_LR_DECAY_BATCHES;
        params.lr_decay_start[0] = params.lr_decay_freq = 2;
        params.lr_decay_repeat_warmup = true;
        params.warmup = 3;
        f.stop_after = stop;
        assert_int_equal(train(&f, &params), VKS_OK);
        if (stop) {
            assert_true(f.progress.update < 3);
            vks_trainer_destroy(&f.trainer);
            f.num_batches = 100;
            assert_int_equal(train(&f, &params), VKS_OK);
        }
        assert_int_equal(f.progress.update, 6);
        float *values = read_values(f.model, &num);
        if (!whole)
            whole = values;
        assert_memory_equal(values, whole, num * sizeof *values);
        if (values != whole)
            free(values);
        close_fixture(&f);
    }
    free(whole);
}

static void second_training_of_a_model_need_not_freeze_what_the_first_did(void **state) {
    static const char *const patterns[] = {"model.decoder.*"};
    struct fixture f;
    size_t num;
    open_fixture(&f, *state);
    struct vks_trainer_params params = defaults(&f);
    params.after_updates = 2;
    params.freeze = patterns;
    params.num_freeze = 1;
    const struct parameter *fc1 = &f.model->weights.decoder.layers[0].fc1;
    float *before = read_values(f.model, &num);
    assert_int_equal(train(&f, &params), VKS_OK);
    assert_true(fc1->is_frozen);
    assert_false(f.model->weights.encoder.layers[0].fc1.is_frozen);
    vks_trainer_destroy(&f.trainer);
    params.num_freeze = 0;
    assert_int_equal(vks_trainer_create(&params, f.model, f.tokenizer, &f.trainer),
                     VKS_ERR_ARGUMENT); // the state is of the other kind
    assert_non_null(strstr(f.error, "--freeze"));
    assert_false(fc1->is_frozen);
    free(before);
    close_fixture(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delayed_updates_equal_those_of_large_batches),
        cmocka_unit_test(delay_in_words_ends_with_the_batch_that_reaches_them),
        cmocka_unit_test(huge_rate_diverges_with_batch_and_norm_in_the_log),
        cmocka_unit_test(update_with_a_nan_is_skipped_and_training_goes_on),
        cmocka_unit_test(delayed_update_is_skipped_as_one),
        cmocka_unit_test(resume_within_a_delay_is_bitwise),
        cmocka_unit_test(second_training_of_a_model_need_not_freeze_what_the_first_did),
    };
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
