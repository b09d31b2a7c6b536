#include "vk/device_file.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/platform.h"
#include "io/files.h"
#include "io/stamped.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE_BYTES = 256 << 20 };

static void make_stamp(const struct vks_device *device, unsigned char stamp[STAMP_BYTES]) {
    VkPhysicalDeviceProperties properties;
    vkGetPhysicalDeviceProperties(device->physical, &properties);
    const uint32_t words[] = {properties.vendorID, properties.deviceID, properties.driverVersion};
    for (size_t i = 0; i < sizeof words; i++)
        stamp[i] = (unsigned char)(words[i / 4] >> i % 4 * 8);
    memcpy(stamp + sizeof words, properties.pipelineCacheUUID, STAMP_BYTES - sizeof words);
}

// Allocated; NULL without a folder or memory.
static char *make_path(const char *kind, const unsigned char stamp[STAMP_BYTES]) {
    const char *folder = platform_env("VKSEQ_CACHE_DIR");
    char name[128];
    int used = snprintf(name, sizeof name, "%.40s-", kind);
    for (size_t i = 0; i < STAMP_BYTES; i++)
        used += snprintf(name + used, sizeof name - (size_t)used, "%02x", stamp[i]);
    return folder && *folder ? path_join(folder, name) : NULL;
}

bool device_file_read(const struct vks_device *device, const char *kind, unsigned char **bytes,
                      const unsigned char **data, size_t *num_bytes) {
    unsigned char stamp[STAMP_BYTES], *content = NULL;
    size_t size = 0;
    make_stamp(device, stamp);
    char *path = make_path(kind, stamp);
    bool is_right = path && file_exists(path) &&
                    file_read(path, MAX_FILE_BYTES, NULL, &content, &size) == VKS_OK;
    if (is_right) {
        const char *fault = stamped_fault(stamp, content, size);
        if (fault)
            log_warn(device->log, "%s: %s; it is made anew", path, fault);
        is_right = !fault;
    }
    free(path);
    if (!is_right) {
        free(content);
        return false;
    }
    *bytes = content;
    *data = content + STAMPED_HEAD_BYTES;
    *num_bytes = size - STAMPED_HEAD_BYTES;
    return true;
}

void device_file_write(const struct vks_device *device, const char *kind, const void *data,
                       size_t num_bytes) {
    unsigned char stamp[STAMP_BYTES];
    make_stamp(device, stamp);
    char *path = make_path(kind, stamp);
    unsigned char *bytes = path ? memory_malloc(STAMPED_HEAD_BYTES + num_bytes) : NULL;
    if (bytes) {
        stamped_head(stamp, data, num_bytes, bytes);
        memcpy(bytes + STAMPED_HEAD_BYTES, data, num_bytes);
        if (directory_create(platform_env("VKSEQ_CACHE_DIR"), NULL) != VKS_OK ||
            file_replace(path, bytes, STAMPED_HEAD_BYTES + num_bytes, NULL) != VKS_OK)
            log_warn(device->log, "%s: it cannot be written, and nothing is kept for the next time",
                     path);
    }
    free(bytes);
    free(path);
}
