// Limit profiles: a profile lowers, never raises, and the second time it changes nothing.
#include "fuzz_file.h"

#include "vk/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    size_t num_messages;
    struct vks_log log = fuzz_log(&num_messages);
    struct fuzz_file file = fuzz_file_create(data, num_bytes);
    struct limits limits;
    CHECK(!setenv("VKSEQ_LIMITS", file.path, 1));
    if (fuzz_is_ok(limits_read(&log, &limits), num_messages)) {
        static const struct vks_device_info full = {.api_major = 1,
                                                    .api_minor = 4,
                                                    .memory_bytes = UINT64_MAX,
                                                    .max_binding_bytes = UINT64_MAX,
                                                    .max_allocation_bytes = UINT64_MAX,
                                                    .max_invocations = UINT32_MAX,
                                                    .max_storage_buffers = 8,
                                                    .float16 = true};
        struct vks_device_info once = full, twice, none = {0}, lowered = none;
        limits_apply(&limits, &once);
        CHECK(once.api_major < 1 || (once.api_major == 1 && once.api_minor <= 4));
        CHECK(once.memory_bytes >= 1 && once.max_binding_bytes <= once.max_allocation_bytes);
        CHECK(once.max_storage_buffers >= 1 && once.max_storage_buffers <= 8);
        CHECK(!once.storage16 && !once.timestamps);
        twice = once;
        limits_apply(&limits, &twice);
        CHECK(!memcmp(&once, &twice, sizeof once));
        limits_apply(&limits, &lowered);
        CHECK(!memcmp(&none, &lowered, sizeof none));
    }
    fuzz_file_finish(&file);
    return 0;
}
