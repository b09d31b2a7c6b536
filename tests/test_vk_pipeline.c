// Pipelines made in threads, and what is kept of them for the next process.
#include "scratch.h"
#include "support/gpu.h"
#include "vk/pipeline.h"

#include "base/check.h"
#include "base/inject.h"

static const struct pipeline_key keys[] = {
    {.shader = "clear", .spec = {ACCUMULATE_NO}, .num_spec = 1},
    {.shader = "clear", .spec = {ACCUMULATE_MICRO}, .num_spec = 1},
    {.shader = "sum"},
    {.shader = "top_k"},
    {.shader = "residual_norm", .spec = {0}, .num_spec = 1},
    {.shader = "residual_norm", .spec = {1}, .num_spec = 1},
    {.shader = "gradient_norm"},
    {.shader = "cross_entropy", .spec = {0}, .num_spec = 1},
    {.shader = "cross_entropy", .spec = {1}, .num_spec = 1},
    {.shader = "gradient_norm_finish"}};

static struct vks_device *open_device(const struct vks_log *log) {
    struct vks_device *device;
    assert_int_equal(vks_device_create(NULL, log, &device), VKS_OK);
    return device;
}

static void make_all(struct vks_device *device) {
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        assert_int_equal(pipeline_want(device, &keys[i]), VKS_OK);
    assert_int_equal(pipeline_make_wanted(device), VKS_OK);
}

static void wanted_pipelines_are_made_once(void **state) {
    (void)state;
    struct vks_device *device = open_device(&gpu_log);
    VkPipeline made[COUNT_OF(keys)], again;
    make_all(device);
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        assert_int_equal(pipeline_get(device, &keys[i], &made[i]), VKS_OK);
        assert_true(made[i] != VK_NULL_HANDLE);
        for (size_t j = 0; j < i; j++)
            assert_true(made[i] != made[j]);
    }
    make_all(device);
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        assert_int_equal(pipeline_get(device, &keys[i], &again), VKS_OK);
        assert_true(again == made[i]);
    }
    vks_device_destroy(&device);
}

static void failed_ones_are_forgotten(void **state) {
    struct scratch *scratch = *state;
    VkPipeline pipeline;
    assert_true(inject_set("vk:vkCreateComputePipelines:3"));
    struct vks_device *device = open_device(&scratch->log);
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        assert_int_equal(pipeline_want(device, &keys[i]), VKS_OK);
    assert_int_equal(pipeline_make_wanted(device), VKS_ERR_OOM);
    assert_int_equal(scratch->num_messages, 1);
    assert_int_equal(inject_num_done(), 1);
    assert_int_equal(pipeline_make_wanted(device), VKS_OK); // nothing is left to make
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        assert_int_equal(pipeline_get(device, &keys[i], &pipeline), VKS_OK);
    vks_device_destroy(&device);
    assert_true(inject_set(NULL));
}

// The only file in the folder; owned by the caller (free).
static char *kept_file(const struct scratch *scratch) {
    char **names;
    size_t num;
    assert_int_equal(directory_list(scratch->dir, &scratch->log, &names, &num), VKS_OK);
    assert_int_equal(num, 1);
    assert_memory_equal(names[0], "pipelines-", 10);
    char *path = scratch_path(scratch, names[0]);
    directory_list_free(&names, num);
    return path;
}

static void run_once(struct scratch *scratch) {
    struct vks_device *device = open_device(&scratch->log);
    make_all(device);
    vks_device_destroy(&device);
}

static void compiled_pipelines_are_kept(void **state) {
    struct scratch *scratch = *state;
    unsigned char *first, *second;
    size_t first_bytes, second_bytes;
    setenv("VKSEQ_CACHE_DIR", scratch->dir, 1);
    run_once(scratch);
    char *path = kept_file(scratch);
    assert_int_equal(file_read(path, 1 << 28, NULL, &first, &first_bytes), VKS_OK);
    run_once(scratch);
    free(path);
    path = kept_file(scratch);
    assert_int_equal(file_read(path, 1 << 28, NULL, &second, &second_bytes), VKS_OK);
    assert_int_equal(scratch->num_messages, 0);
    assert_true(first_bytes > 52 && second_bytes >= first_bytes);
    free(first);
    free(second);
    free(path);
}

static void damaged_file_is_replaced(void **state) {
    // A bit of the stamp, one of the data, and an end that is missing.
    static const size_t places[] = {10, 60, 0};
    struct scratch *scratch = *state;
    setenv("VKSEQ_CACHE_DIR", scratch->dir, 1);
    run_once(scratch);
    char *path = kept_file(scratch);
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        unsigned char *bytes;
        size_t num_bytes;
        assert_int_equal(file_read(path, 1 << 28, NULL, &bytes, &num_bytes), VKS_OK);
        bytes[places[i]] ^= 4;
        assert_int_equal(file_replace(path, bytes, places[i] ? num_bytes : 20, NULL), VKS_OK);
        scratch->num_messages = 0;
        run_once(scratch);
        assert_int_equal(scratch->num_messages, 1);
        assert_non_null(strstr(scratch->text, "it is made anew"));
        run_once(scratch);
        assert_int_equal(scratch->num_messages, 1);
        free(bytes);
    }
    free(path);
}

static void folder_that_cannot_be_is_a_warning(void **state) {
    struct scratch *scratch = *state;
    scratch_put(scratch, "file", "", 0);
    char *path = scratch_path(scratch, "file");
    setenv("VKSEQ_CACHE_DIR", path, 1);
    run_once(scratch);
    assert_int_equal(scratch->num_messages, 1);
    assert_non_null(strstr(scratch->text, "cannot be written"));
    setenv("VKSEQ_CACHE_DIR", "", 1);
    run_once(scratch);
    assert_int_equal(scratch->num_messages, 1);
    free(path);
}

static int forget_folder(void **state) {
    unsetenv("VKSEQ_CACHE_DIR");
    return scratch_destroy(state);
}

#define PIPELINE_TEST(function)                                                                    \
    cmocka_unit_test_setup_teardown(function, scratch_create, forget_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wanted_pipelines_are_made_once),  PIPELINE_TEST(failed_ones_are_forgotten),
        PIPELINE_TEST(compiled_pipelines_are_kept),        PIPELINE_TEST(damaged_file_is_replaced),
        PIPELINE_TEST(folder_that_cannot_be_is_a_warning),
    };
    unsetenv("VKSEQ_CACHE_DIR");
    return cmocka_run_group_tests(tests, gpu_setup, gpu_teardown);
}
