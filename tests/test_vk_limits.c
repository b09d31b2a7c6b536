// Limits that VKSEQ_LIMITS lowers, and what respects them.
#include "base/check.h"
#include "scratch.h"
#include "support/gpu.h"
#include "vk/buffer.h"
#include "vk/limits.h"
#include "vk/pipeline.h"
#include "vk/shaders.h"
#include "vk/spirv.h"

// Makes a text the profile that the environment names.
static void set_profile(const struct scratch *scratch, const char *text) {
    char *path = scratch_path(scratch, "limits.json");
    scratch_put(scratch, "limits.json", text, strlen(text));
    assert_int_equal(setenv("VKSEQ_LIMITS", path, 1), 0);
    free(path);
}

static int forget_profile(void **state) {
    unsetenv("VKSEQ_LIMITS");
    unsetenv("VKSEQ_KERNELS");
    return scratch_destroy(state);
}

// A device under a profile; NULL: without one.
static struct vks_device *open_device(struct scratch *scratch, const char *text) {
    struct vks_device *device = NULL;
    unsetenv("VKSEQ_LIMITS");
    if (text)
        set_profile(scratch, text);
    enum vks_status status = vks_device_create(NULL, &scratch->log, &device);
    if (status == VKS_ERR_NO_DEVICE)
        exit(77);
    assert_int_equal(status, VKS_OK);
    return device;
}

static void profile_lowers_what_a_device_reports(void **state) {
    struct vks_device *device =
        open_device(*state, "{\"_why\": [\"comments\", 1], \"max_storage_buffers\": 8, "
                            "\"push_constant_bytes\": 128, \"max_invocations\": 64, "
                            "\"shared_memory_bytes\": 16384, \"max_binding_bytes\": 65536, "
                            "\"max_allocation_bytes\": 1048576, \"memory_bytes\": 4194304, "
                            "\"float16\": false, \"storage16\": false, \"int64\": false, "
                            "\"timestamps\": false}");
    const struct vks_device_info *info = vks_device_info(device);
    assert_int_equal(info->max_storage_buffers, 8);
    assert_int_equal(info->push_constant_bytes, 128);
    assert_int_equal(info->max_invocations, 64);
    assert_int_equal(info->shared_memory_bytes, 16384);
    assert_int_equal(info->max_binding_bytes, 65536);
    assert_int_equal(info->max_allocation_bytes, 1048576);
    assert_int_equal(info->memory_bytes, 4194304);
    assert_false(info->float16 || info->storage16 || info->int64 || info->timestamps);
    assert_true(device->family < KERNELS_ADDRESS); // which load 64-bit integers
    assert_true(device->timestamp_ns <= 0.0f);
    vks_device_destroy(&device);
}

static void profile_raises_nothing(void **state) {
    struct vks_device *device = open_device(*state, NULL);
    const struct vks_device_info real = *vks_device_info(device);
    vks_device_destroy(&device);
    device = open_device(*state, "{\"api\": \"9.9\", \"max_invocations\": 4294967295, "
                                 "\"max_allocation_bytes\": 9007199254740992, \"bfloat16\": true, "
                                 "\"cooperative_matrix\": true, \"float16\": true}");
    assert_memory_equal(vks_device_info(device), &real, sizeof real);
    vks_device_destroy(&device);
}

static void without_subgroup_operations_waves_share_memory(void **state) {
    static const char *const profiles[] = {
        "{\"subgroup_operations\": false}",
        "{\"subgroup_size_fixed\": false, \"subgroup_size_control\": false}",
        "{\"api\": \"1.1\"}",
    };
    for (size_t i = 0; i < COUNT_OF(profiles); i++) {
        struct vks_device *device = open_device(*state, profiles[i]);
        assert_int_equal(device->family, KERNELS_SHARED);
        assert_int_equal(device->wave, 32);
        vks_device_destroy(&device);
    }
}

static void subgroup_size_is_asked_for_where_it_is_not_fixed(void **state) {
    struct vks_device *device = open_device(*state, "{\"subgroup_size_fixed\": false}");
    assert_int_equal(device->pin_subgroup_size,
                     device->info.subgroup_size_control && device->family != KERNELS_SHARED);
    vks_device_destroy(&device);
}

static void older_vulkan_has_no_later_features(void **state) {
    struct vks_device *device = open_device(*state, "{\"api\": \"1.1\"}");
    const struct vks_device_info *info = vks_device_info(device);
    assert_int_equal(info->api_major, 1);
    assert_int_equal(info->api_minor, 1);
    assert_int_equal(info->api_patch, 0);
    assert_false(info->buffer_address || info->float16 || info->subgroup_size_control);
    vks_device_destroy(&device);
}

static void device_under_the_floor_is_unusable(void **state) {
    static const char *const cases[][2] = {
        {"{\"api\": \"1.0\"}", "it has Vulkan 1.0, vkseq needs 1.1"},
        {"{\"max_storage_buffers\": 7}", "it binds 7 storage buffers a stage, vkseq needs 8"},
        {"{\"max_invocations\": 63}", "it has 63 invocations a workgroup, vkseq needs 64"},
        {"{\"push_constant_bytes\": 127}", "it has 127 bytes of push constants, vkseq needs 128"},
    };
    struct vks_device *device = open_device(*state, NULL);
    vks_device_destroy(&device);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct scratch *scratch = *state;
        set_profile(scratch, cases[i][0]);
        assert_int_equal(vks_device_create(NULL, &scratch->log, &device), VKS_ERR_NO_DEVICE);
        assert_non_null(strstr(scratch->text, cases[i][1]));
    }
}

static void buffers_stay_within_allocation_and_memory(void **state) {
    struct scratch *scratch = *state;
    struct vk_buffer buffers[2] = {0};
    struct vks_device *device =
        open_device(scratch, "{\"max_allocation_bytes\": 65536, \"memory_bytes\": 100000}");
    assert_int_equal(buffer_init(device, BUFFER_DEVICE, 65537, &buffers[0]), VKS_ERR_DEVICE_OOM);
    assert_non_null(strstr(scratch->text, "0.1 MiB is more than the 0.1 MiB"));
    assert_null(buffers[0].handle);
    assert_int_equal(buffer_init(device, BUFFER_DEVICE, 65536, &buffers[0]), VKS_OK);
    assert_int_equal(buffer_init(device, BUFFER_UPLOAD, 65536, &buffers[1]), VKS_ERR_DEVICE_OOM);
    assert_non_null(strstr(scratch->text, "VKSEQ_LIMITS"));
    buffer_finish(device, &buffers[0]);
    assert_int_equal(buffer_init(device, BUFFER_UPLOAD, 65536, &buffers[1]), VKS_OK);
    assert_true(buffer_max_bytes(device) <= 65536);
    buffer_finish(device, &buffers[1]);
    vks_device_destroy(&device);
}

static uint64_t shared_bytes(const char *name, enum kernel_family family, uint32_t wave) {
    uint64_t bytes = UINT64_MAX;
    for (size_t i = 0; i < num_shaders; i++) {
        const unsigned char *begin = shader_table[i].code[family].begin;
        const struct spirv module = {
            .words = (const uint32_t *)(const void *)begin,
            .num_words = (size_t)(shader_table[i].code[family].end - begin) / sizeof(uint32_t),
            .spec = &wave,
            .num_spec = 1};
        if (strcmp(shader_table[i].name, name) == 0)
            assert_int_equal(spirv_shared_bytes(&module, &bytes), VKS_OK);
    }
    return bytes;
}

static void shared_memory_of_kernels_is_read_from_their_code(void **state) {
    (void)state;
    // Two scratch words a lane, and 16 vec4 for A's tile.
    assert_int_equal(shared_bytes("gemm_tn", KERNELS_SHARED, 32), 32 * (2 * 4 + 16 * 16));
    assert_int_equal(shared_bytes("gemm_tn", KERNELS_SHARED, 8), 8 * (2 * 4 + 16 * 16));
    assert_int_equal(shared_bytes("sum", KERNELS_SHARED, 32), 32 * 2 * 4);
    assert_int_equal(shared_bytes("gemm_tn", KERNELS_SUBGROUP, 32), 0);
    assert_int_equal(shared_bytes("gemm_tn", KERNELS_ADDRESS, 32), 0);
    assert_int_equal(shared_bytes("gemm_tn", KERNELS_TEXEL, 32), 0);
    for (size_t i = 0; i < num_shaders; i++)
        assert_true(shared_bytes(shader_table[i].name, KERNELS_SHARED, 32) <= 16384);
}

static void kernel_beyond_the_workgroup_limits_is_refused(void **state) {
    struct scratch *scratch = *state;
    const struct pipeline_key tile = {.shader = "gemm_tn", .num_spec = 3}, sum = {.shader = "sum"};
    VkPipeline pipeline;
    assert_int_equal(setenv("VKSEQ_KERNELS", "shared", 1), 0);
    struct vks_device *device = open_device(scratch, "{\"shared_memory_bytes\": 256}");
    assert_int_equal(pipeline_get(device, &sum, &pipeline), VKS_OK);
    assert_int_equal(pipeline_get(device, &tile, &pipeline), VKS_ERR_UNSUPPORTED);
    assert_non_null(strstr(scratch->text, "the kernel gemm_tn needs workgroups of 32 invocations "
                                          "and 8448 bytes of shared memory"));
    vks_device_destroy(&device);
    device = open_device(scratch, "{\"shared_memory_bytes\": 255}");
    assert_int_equal(pipeline_get(device, &sum, &pipeline), VKS_ERR_UNSUPPORTED);
    device->info.shared_memory_bytes = 16384;
    device->info.max_invocations = 31;
    assert_int_equal(pipeline_get(device, &sum, &pipeline), VKS_ERR_UNSUPPORTED);
    vks_device_destroy(&device);
}

static void profiles_of_the_tree_can_be_used(void **state) {
    static const char *const names[] = {"floor", "mali",   "adreno", "intel-integrated",
                                        "amd",   "nvidia", "narrow"};
    struct scratch *scratch = *state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char path[512];
        struct vks_device *device = NULL;
        snprintf(path, sizeof path, "%s/profiles/%s.json", TEST_DATA_DIR, names[i]);
        assert_int_equal(setenv("VKSEQ_LIMITS", path, 1), 0);
        enum vks_status status = vks_device_create(NULL, &scratch->log, &device);
        if (status == VKS_ERR_NO_DEVICE)
            exit(77);
        assert_int_equal(status, VKS_OK);
        if (i == 0)
            assert_string_equal(device->info.kernels, "shared, wave 32");
        vks_device_destroy(&device);
    }
}

static void bad_profiles_are_refused(void **state) {
    static const char *const cases[][2] = {
        {"", "a JSON object of limits was expected"},
        {"[]", "a JSON object of limits was expected"},
        {"{\"max_invocations\": 64", "a JSON object of limits was expected"},
        {"{\"max_invocation\": 64}", "\"max_invocation\" is no limit; there are: memory_bytes, "},
        {"{\"max_invocations\": \"64\"}",
         "\"max_invocations\" is \"64\"; a whole number from 1 to 4294967295 was expected"},
        {"{\"max_invocations\": 0}", "\"max_invocations\" is 0; a whole number"},
        {"{\"max_invocations\": 4294967296}", "\"max_invocations\" is 4294967296; a whole number"},
        {"{\"memory_bytes\": 1.5}", "\"memory_bytes\" is 1.5; a whole number above 0 was expected"},
        {"{\"memory_bytes\": -1}", "\"memory_bytes\" is -1; a whole number above 0 was expected"},
        {"{\"memory_bytes\": 1e300}", "a whole number above 0 was expected"},
        {"{\"float16\": 1}", "\"float16\" is 1; true or false was expected"},
        {"{\"float16\": null}", "\"float16\" is null; true or false was expected"},
        {"{\"api\": 1.1}", "\"api\" is 1.1; a version such as \"1.1\" was expected"},
        {"{\"api\": \"1.1.2\"}", "\"api\" is \"1.1.2\"; a version"},
        {"{\"api\": \"one\"}", "\"api\" is \"one\"; a version"},
        {"{\"int64\": true, \"int64\": false}", "\"int64\" stands there twice"},
    };
    struct scratch *scratch = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct limits limits;
        set_profile(scratch, cases[i][0]);
        assert_int_equal(limits_read(&scratch->log, &limits), VKS_ERR_FORMAT);
        if (!strstr(scratch->text, cases[i][1]) || !strstr(scratch->text, "limits.json: "))
            fail_msg("'%s' was said of '%s'", scratch->text, cases[i][0]);
    }
    struct limits limits;
    assert_int_equal(setenv("VKSEQ_LIMITS", "/nonexistent/limits.json", 1), 0);
    assert_int_equal(limits_read(&scratch->log, &limits), VKS_ERR_IO);
}

#define LIMITS_TEST(function)                                                                      \
    cmocka_unit_test_setup_teardown(function, scratch_create, forget_profile)

int main(void) {
    const struct CMUnitTest tests[] = {
        LIMITS_TEST(bad_profiles_are_refused),
        LIMITS_TEST(shared_memory_of_kernels_is_read_from_their_code),
        LIMITS_TEST(profile_lowers_what_a_device_reports),
        LIMITS_TEST(profile_raises_nothing),
        LIMITS_TEST(without_subgroup_operations_waves_share_memory),
        LIMITS_TEST(subgroup_size_is_asked_for_where_it_is_not_fixed),
        LIMITS_TEST(older_vulkan_has_no_later_features),
        LIMITS_TEST(device_under_the_floor_is_unusable),
        LIMITS_TEST(buffers_stay_within_allocation_and_memory),
        LIMITS_TEST(kernel_beyond_the_workgroup_limits_is_refused),
        LIMITS_TEST(profiles_of_the_tree_can_be_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
