// Whatever fails while a model is loaded, trained, saved and used: a status, no leak, the old
// checkpoint whole, and training that goes on from it to the same bits.
#include "base/memory.h"
#include "io/files.h"
#include "model/loss.h"
#include "model/model_object.h"
#include "support/snapshot.h"
#include "train/updater.h"
#include "vkseq/trainer.h"
#include "vkseq/translator.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

// VKSEQ_LONG_TESTS in the environment walks through all faults of a kind, otherwise through about
// SAMPLES.
enum { SAMPLES = 10, OLD_UPDATES = 2, UPDATES = 4, NUM_LINES = 24 };

struct fixture {
    char dir[256], model_dir[300], source[300], target[300], alignment[300];
    struct vks_log log;
    uint32_t num_errors;
    char last_error[512];
    struct vks_device *device;
    uint64_t device_bytes;
    // Of the model directory: with a vocabulary only, after OLD_UPDATES, after UPDATES.
    struct snapshot empty, old, new;
    char *translation;           // by the new one
    uint64_t run_begin, run_end; // passings before and after the last vks_trainer_run
    struct vks_model_config config;
};

static void write_log(void *user, enum vks_log_level level, const char *text) {
    struct fixture *f = user;
    if (level != VKS_LOG_ERROR)
        return;
    f->num_errors++;
    snprintf(f->last_error, sizeof f->last_error, "%s", text);
}

static enum vks_status train(struct fixture *f, struct vks_model *model,
                             const struct vks_tokenizer *tokenizer, uint64_t updates) {
    struct vks_trainer_params params;
    struct vks_trainer *trainer;
    vks_trainer_defaults(&params);
    params.model_dir = f->model_dir;
    params.train_source = params.valid_source = f->source;
    params.train_target = params.valid_target = f->target;
    params.guided_alignment = f->alignment;
    params.mini_batch_words = 48;
    params.max_length = 20;
    params.after_updates = updates;
    params.save_freq = params.valid_freq = 3;
    params.warmup = 2;
    params.optimizer_delay = 2;
    params.exponential_smoothing = 0.1f;
    params.log = &f->log;
    enum vks_status status = vks_trainer_create(&params, model, tokenizer, &trainer);
    if (status != VKS_OK)
        return status;
    f->run_begin = inject_num_passed();
    status = vks_trainer_run(trainer);
    f->run_end = inject_num_passed();
    vks_trainer_destroy(&trainer);
    return status;
}

// The translation of the first line; owned by the caller (free).
static enum vks_status translate(struct fixture *f, struct vks_model *model,
                                 const struct vks_tokenizer *tokenizer, char **text) {
    static const char *const lines[] = {"a b c d", "", "d c"};
    const struct vks_translator_params params = {.beam_size = 2, .n_best = 2, .log = &f->log};
    struct vks_translator *translator;
    struct vks_translation *translations;
    enum vks_status status = vks_translator_create(model, tokenizer, &params, &translator);
    if (status != VKS_OK)
        return status;
    status = vks_translate(translator, lines, 3, &translations);
    if (status == VKS_OK) {
        *text = strdup(translations[0].hypotheses[0].text);
        assert_non_null(*text);
        vks_translations_free(translations, 3);
    }
    vks_translator_destroy(&translator);
    return status;
}

// Goes on with the model in the folder, and translates with it.
static enum vks_status scenario(struct fixture *f, uint64_t updates, char **text) {
    struct vks_tokenizer *tokenizer = NULL;
    struct vks_model *model = NULL;
    f->num_errors = 0;
    enum vks_status status = vks_tokenizer_load(f->model_dir, &f->log, &tokenizer);
    if (status == VKS_OK)
        status = vks_model_load(f->device, f->model_dir, &model);
    if (status == VKS_OK)
        status = train(f, model, tokenizer, updates);
    if (status == VKS_OK)
        status = translate(f, model, tokenizer, text);
    vks_model_destroy(&model);
    vks_tokenizer_destroy(&tokenizer);
    return status;
}

// Begins anew with a random model.
static enum vks_status train_anew(struct fixture *f, uint64_t updates) {
    struct vks_tokenizer *tokenizer = NULL;
    struct vks_model *model = NULL;
    f->num_errors = 0;
    enum vks_status status = vks_tokenizer_load(f->model_dir, &f->log, &tokenizer);
    if (status == VKS_OK)
        status = vks_model_create(f->device, &f->config, 1, &model);
    if (status == VKS_OK)
        status = train(f, model, tokenizer, updates);
    vks_model_destroy(&model);
    vks_tokenizer_destroy(&tokenizer);
    return status;
}

static void write_texts(struct fixture *f) {
    FILE *source = fopen(f->source, "w"), *target = fopen(f->target, "w");
    FILE *alignment = fopen(f->alignment, "w");
    assert_true(source && target && alignment);
    for (int i = 0; i < NUM_LINES; i++) {
        for (int j = 0; j < 3 + i % 4; j++)
            fprintf(source, "%c ", 'a' + (i + j * j) % 7);
        for (int j = 2 + i % 4; j >= 0; j--)
            fprintf(target, "%c ", 'a' + (i + j * j) % 7);
        fputc('\n', source);
        fputc('\n', target);
        fputs("0-0 1-0\n", alignment);
    }
    assert_int_equal(fclose(source) + fclose(target) + fclose(alignment), 0);
}

static void make_vocabulary(struct fixture *f) {
    const char *source = f->source, *target = f->target;
    const struct vks_tokenizer_train_params params = {
        .source_paths = &source,
        .num_source_paths = 1,
        .target_paths = &target,
        .num_target_paths = 1,
        .vocab_size = 32,
        .options = "--byte_fallback=false",
        .log = &f->log,
    };
    struct vks_tokenizer *tokenizer;
    assert_int_equal(directory_create(f->model_dir, &f->log), VKS_OK);
    assert_int_equal(vks_tokenizer_train(&params, &tokenizer), VKS_OK);
    assert_int_equal(vks_tokenizer_save(tokenizer, f->model_dir), VKS_OK);
    f->config = (struct vks_model_config){
        .source_vocab = vks_tokenizer_vocab_size(tokenizer, VKS_SOURCE),
        .target_vocab = vks_tokenizer_vocab_size(tokenizer, VKS_TARGET),
        .width = 16,
        .ffn_width = 32,
        .num_heads = 2,
        .encoder_layers = 1,
        .decoder_layers = 1,
        .pad_id = vks_tokenizer_pad_id(tokenizer, VKS_TARGET),
    };
    vks_tokenizer_destroy(&tokenizer);
}

static int setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    // Some ten thousand files are synced: in memory where that can be had.
    const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : getenv("TMPDIR");
    assert_non_null(f);
    f->log = (struct vks_log){write_log, f, VKS_LOG_INFO};
    assert_true(inject_set("")); // the device is opened so that its calls can fail
    enum vks_status status = vks_device_create(NULL, &f->log, &f->device);
    if (status == VKS_ERR_NO_DEVICE)
        exit(77);
    assert_int_equal(status, VKS_OK);
    snprintf(f->dir, sizeof f->dir, "%s/vkseq-faults-XXXXXX", parent ? parent : P_tmpdir);
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->model_dir, sizeof f->model_dir, "%s/model", f->dir);
    snprintf(f->source, sizeof f->source, "%s/text.src", f->dir);
    snprintf(f->target, sizeof f->target, "%s/text.tgt", f->dir);
    snprintf(f->alignment, sizeof f->alignment, "%s/text.align", f->dir);
    write_texts(f);
    uint64_t peak_bytes;
    vks_device_memory(f->device, &f->device_bytes, &peak_bytes);
    make_vocabulary(f);
    snapshot_take(f->model_dir, &f->empty);
    assert_int_equal(train_anew(f, OLD_UPDATES), VKS_OK);
    snapshot_take(f->model_dir, &f->old);
    assert_int_equal(scenario(f, UPDATES, &f->translation), VKS_OK);
    snapshot_take(f->model_dir, &f->new);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    vks_device_destroy(&f->device);
    snapshot_finish(&f->empty);
    snapshot_finish(&f->old);
    snapshot_finish(&f->new);
    assert_int_equal(directory_remove(f->dir, NULL), VKS_OK);
    free(f->translation);
    free(f);
    return 0;
}

static void assert_same_file(const struct snapshot *a, const struct snapshot *b, const char *path) {
    const struct snapshot_file *x = snapshot_find(a, path), *y = snapshot_find(b, path);
    assert_true(x && y);
    assert_int_equal(x->num_bytes, y->num_bytes);
    assert_memory_equal(x->data, y->data, x->num_bytes);
}

// All that a failed run may have left: whole files under their own names.
static void check_folder(struct fixture *f) {
    struct snapshot left;
    snapshot_take(f->model_dir, &left);
    for (size_t i = 0; i < left.num_files; i++)
        if (strstr(left.files[i].path, "tmp"))
            fail_msg("%s was left", left.files[i].path);
    const struct snapshot_file *weights = snapshot_find(&left, "model.safetensors");
    assert_non_null(weights);
    assert_int_equal(weights->num_bytes, snapshot_find(&f->old, weights->path)->num_bytes);
    snapshot_finish(&left);
}

static void check_model(struct fixture *f) {
    struct snapshot now;
    snapshot_take(f->model_dir, &now);
    assert_same_file(&now, &f->new, "model.safetensors");
    assert_same_file(&now, &f->new, "config.json");
    snapshot_finish(&now);
}

// Runs with a fault; false when it did not come to pass. must_succeed: in spite of it.
static bool survives(struct fixture *f, const char *list, bool must_succeed) {
    char *text = NULL;
    uint64_t now_bytes, peak_bytes;
    snapshot_restore(&f->old, f->model_dir);
    assert_true(inject_set(list));
    enum vks_status status = scenario(f, UPDATES, &text);
    bool has_failed = inject_num_done() > 0;
    assert_true(inject_set(""));
    vks_device_memory(f->device, &now_bytes, &peak_bytes);
    if (now_bytes != f->device_bytes)
        fail_msg("%s: %llu bytes of device memory leaked", list,
                 (unsigned long long)(now_bytes - f->device_bytes));
    if (!has_failed || must_succeed)
        assert_int_equal(status, VKS_OK);
    if (status != VKS_OK) {
        if (status != VKS_ERR_OOM && f->num_errors == 0)
            fail_msg("%s: %s, without a message", list, vks_status_text(status));
        check_folder(f);
        status = scenario(f, UPDATES, &text);
        if (status != VKS_OK)
            fail_msg("%s: cannot go on: %s", list, f->last_error);
    }
    check_model(f);
    assert_string_equal(text, f->translation);
    free(text);
    return has_failed;
}

// How many times a place is passed.
static uint32_t count(struct fixture *f, const char *format) {
    char list[64], *text = NULL;
    snprintf(list, sizeof list, format, UINT32_MAX);
    snapshot_restore(&f->old, f->model_dir);
    assert_true(inject_set(list));
    assert_int_equal(scenario(f, UPDATES, &text), VKS_OK);
    assert_int_equal(inject_num_done(), 0);
    free(text);
    return (uint32_t)inject_num_passed();
}

static void walk(struct fixture *f, const char *format) {
    bool is_long = getenv("VKSEQ_LONG_TESTS") != NULL;
    uint32_t num = count(f, format), step = is_long ? 1 : num / SAMPLES + 1;
    print_message("%s: %u places, every %u. fails\n", format, num, step);
    assert_true(num > 0);
    for (uint32_t i = 1; i <= num; i += step) {
        char list[64];
        snprintf(list, sizeof list, format, i);
        survives(f, list, false);
    }
}

// The same while vks_trainer_run is at work: it must end as if nothing had been.
static void walk_training(struct fixture *f, const char *format) {
    count(f, format);
    uint32_t first = (uint32_t)f->run_begin + 1, last = (uint32_t)f->run_end;
    bool is_long = getenv("VKSEQ_LONG_TESTS") != NULL;
    uint32_t step = is_long ? 1 : (last - first) / SAMPLES + 1;
    print_message("%s: %u to %u, every %u. fails while training\n", format, first, last, step);
    assert_true(last > first);
    for (uint32_t i = first; i <= last; i += step) {
        char list[64];
        snprintf(list, sizeof list, format, i);
        assert_true(survives(f, list, true));
    }
}

static void any_host_allocation_may_fail(void **state) {
    walk(*state, "alloc:%u");
}

// cJSON's allocations, which vkseq's code asks for, count as well.
static void any_allocation_for_json_may_fail(void **state) {
    cJSON_InitHooks(&(cJSON_Hooks){memory_malloc, free});
    walk(*state, "alloc:%u");
    cJSON_InitHooks(NULL);
}

static void all_host_allocations_from_one_on_may_fail(void **state) {
    walk(*state, "alloc:%u+");
}

static void any_device_allocation_may_fail(void **state) {
    walk(*state, "device-alloc:%u");
}

static void any_vulkan_call_may_fail(void **state) {
    walk(*state, "vk:*:%u");
}

static void any_write_may_find_the_disk_full(void **state) {
    walk(*state, "write:%u:ENOSPC");
}

static void any_write_may_find_the_disk_read_only(void **state) {
    walk(*state, "write:%u+:EROFS");
}

static void the_device_may_be_lost_at_any_time(void **state) {
    walk(*state, "lost:%u");
}

static void training_survives_a_lost_device_with_the_same_bits(void **state) {
    walk_training(*state, "lost:%u");
}

static void any_submission_may_be_dropped(void **state) {
    walk(*state, "skip:%u");
}

static void training_survives_a_dropped_submission_with_the_same_bits(void **state) {
    walk_training(*state, "skip:%u");
}

static void loss_before_the_first_save_is_survived(void **state) {
    struct fixture *f = *state;
    char list[64];
    snapshot_restore(&f->empty, f->model_dir);
    assert_true(inject_set("lost:4294967295"));
    assert_int_equal(train_anew(f, UPDATES), VKS_OK);
    snprintf(list, sizeof list, "lost:%llu", (unsigned long long)f->run_begin + 3);
    snapshot_restore(&f->empty, f->model_dir);
    assert_true(inject_set(list));
    assert_int_equal(train_anew(f, UPDATES), VKS_OK);
    assert_int_equal(inject_num_done(), 1);
    assert_true(inject_set(""));
    check_model(f);
}

static void training_gives_up_when_losses_do_not_end(void **state) {
    struct fixture *f = *state;
    char list[64], *text = NULL;
    count(f, "lost:%u");
    snprintf(list, sizeof list, "lost:%llu+", (unsigned long long)f->run_begin + 1);
    snapshot_restore(&f->old, f->model_dir);
    assert_true(inject_set(list));
    assert_int_equal(scenario(f, UPDATES, &text), VKS_ERR_DEVICE_LOST);
    assert_true(inject_set(""));
    assert_non_null(strstr(f->last_error, "was lost 4 times since the last save"));
    check_folder(f);
}

static void device_with_others_on_it_is_not_opened_again(void **state) {
    struct fixture *f = *state;
    struct vks_model *other;
    char list[64], *text = NULL;
    count(f, "lost:%u");
    snprintf(list, sizeof list, "lost:%llu", (unsigned long long)f->run_begin + 1);
    assert_int_equal(vks_model_create(f->device, &f->config, 1, &other), VKS_OK);
    snapshot_restore(&f->old, f->model_dir);
    assert_true(inject_set(list));
    assert_int_equal(scenario(f, UPDATES, &text), VKS_ERR_UNSUPPORTED);
    assert_true(inject_set(""));
    assert_non_null(strstr(f->last_error, "another part of the program"));
    vks_model_destroy(&other);
    check_folder(f);
}

static enum vks_status build_loss(struct fixture *f, struct vks_model *model) {
    const struct loss_params params = {
        .config = &model->config,
        .weights = &model->weights,
        .capacity = {16, 16, 16},
        .dropout = 0.1f,
        .with_gradient = true,
        .with_row_losses = true,
        .with_logits = true,
    };
    struct loss_program loss = {0};
    enum vks_status status = loss_program_init(f->device, &params, &loss);
    loss_program_finish(&loss);
    return status;
}

static enum vks_status build_updater(struct fixture *f, struct vks_model *model) {
    const struct optimizer_params params = {.kind = UPDATE_ADAM};
    struct updater updater;
    (void)f;
    enum vks_status status = updater_init(&model->weights.store, &params, &updater);
    updater_finish(&updater);
    return status;
}

static enum vks_status build_decoder(struct fixture *f, struct vks_model *model) {
    struct vks_tokenizer *tokenizer;
    char *text = NULL;
    enum vks_status status = vks_tokenizer_load(f->model_dir, &f->log, &tokenizer);
    if (status != VKS_OK)
        return status;
    status = translate(f, model, tokenizer, &text);
    vks_tokenizer_destroy(&tokenizer);
    free(text);
    return status;
}

// All allocations, one after the other, in full: a graph that fails half-way is torn down from any
// state.
static void building_a_program_may_fail_anywhere(void **state) {
    struct fixture *f = *state;
    static enum vks_status (*const builds[])(struct fixture *, struct vks_model *) = {
        build_loss, build_updater, build_decoder};
    for (int i = 0; i < 6; i++) {
        struct vks_model_config config = f->config;
        struct vks_model *model;
        uint64_t before_bytes, now_bytes, peak_bytes;
        uint32_t num = 1, num_done;
        config.pre_norm = i % 2;
        config.positions = i % 2 ? VKS_POSITIONS_LEARNED : VKS_POSITIONS_HF;
        config.max_positions = 32;
        snapshot_restore(&f->empty, f->model_dir);
        assert_int_equal(vks_model_create(f->device, &config, 1, &model), VKS_OK);
        assert_int_equal(model_prepare_training(model, PARTS_ADAM), VKS_OK);
        vks_device_memory(f->device, &before_bytes, &peak_bytes);
        do {
            char list[32];
            snprintf(list, sizeof list, "alloc:%u", num++);
            assert_true(inject_set(list));
            enum vks_status status = builds[i / 2](f, model);
            num_done = inject_num_done();
            assert_int_equal(status, num_done ? VKS_ERR_OOM : VKS_OK);
            vks_device_memory(f->device, &now_bytes, &peak_bytes);
            assert_true(now_bytes == before_bytes);
        } while (num_done > 0);
        print_message("program %d: %u allocations\n", i, num - 2);
        assert_true(inject_set(""));
        vks_model_destroy(&model);
    }
}

// Opens a device with a fault; whether the fault came to pass.
static bool device_survives(struct fixture *f, const char *list) {
    struct vks_device *device = NULL;
    f->num_errors = 0;
    assert_true(inject_set(list));
    enum vks_status status = vks_device_create(NULL, &f->log, &device);
    bool has_failed = inject_num_done() > 0;
    assert_true(inject_set(""));
    assert_true(has_failed || status == VKS_OK); // other memory types stand in for one
    assert_true((status == VKS_OK) == (device != NULL));
    assert_true(status == VKS_OK || status == VKS_ERR_OOM || f->num_errors == 1);
    vks_device_destroy(&device);
    return has_failed;
}

static void opening_a_device_may_fail_anywhere(void **state) {
    static const char *const formats[] = {"alloc:%u", "device-alloc:%u", "vk:*:%u"};
    for (size_t i = 0; i < 3; i++) {
        char list[64];
        uint32_t num = 1;
        while (snprintf(list, sizeof list, formats[i], num), device_survives(*state, list))
            num++;
        assert_true(num > 1);
    }
}

// The device is then gone; what was on it can still be destroyed.
static void device_that_cannot_be_opened_again_ends_training(void **state) {
    struct fixture *f = *state;
    struct vks_device *device = f->device;
    char list[96], *text = NULL;
    count(f, "lost:%u");
    snprintf(list, sizeof list, "lost:%llu,vk:vkCreateDevice:2",
             (unsigned long long)f->run_begin + 3);
    snapshot_restore(&f->old, f->model_dir);
    assert_true(inject_set(list));
    assert_int_equal(vks_device_create(NULL, &f->log, &f->device), VKS_OK);
    enum vks_status status = scenario(f, UPDATES, &text);
    vks_device_destroy(&f->device);
    f->device = device;
    assert_int_equal(inject_num_done(), 2);
    assert_true(inject_set(""));
    assert_int_equal(status, VKS_ERR_OOM);
    check_folder(f);
}

static void cuts_between_submissions_change_no_bit(void **state) {
    struct fixture *f = *state;
    for (int seed = 1; seed <= 3; seed++) {
        char list[32], *text = NULL;
        snprintf(list, sizeof list, "segments:%d", seed);
        snapshot_restore(&f->old, f->model_dir);
        assert_true(inject_set(list));
        assert_int_equal(scenario(f, UPDATES, &text), VKS_OK);
        assert_true(inject_num_done() > 20);
        assert_true(inject_set(""));
        check_model(f);
        assert_string_equal(text, f->translation);
        free(text);
    }
}

// An argument chooses among the tests by name, with * for any part.
int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_host_allocation_may_fail),
        cmocka_unit_test(any_allocation_for_json_may_fail),
        cmocka_unit_test(all_host_allocations_from_one_on_may_fail),
        cmocka_unit_test(any_device_allocation_may_fail),
        cmocka_unit_test(any_vulkan_call_may_fail),
        cmocka_unit_test(any_write_may_find_the_disk_full),
        cmocka_unit_test(any_write_may_find_the_disk_read_only),
        cmocka_unit_test(the_device_may_be_lost_at_any_time),
        cmocka_unit_test(training_survives_a_lost_device_with_the_same_bits),
        cmocka_unit_test(any_submission_may_be_dropped),
        cmocka_unit_test(training_survives_a_dropped_submission_with_the_same_bits),
        cmocka_unit_test(loss_before_the_first_save_is_survived),
        cmocka_unit_test(training_gives_up_when_losses_do_not_end),
        cmocka_unit_test(device_with_others_on_it_is_not_opened_again),
        cmocka_unit_test(building_a_program_may_fail_anywhere),
        cmocka_unit_test(opening_a_device_may_fail_anywhere),
        cmocka_unit_test(device_that_cannot_be_opened_again_ends_training),
        cmocka_unit_test(cuts_between_submissions_change_no_bit),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, setup, teardown);
}
