#include "vk/vk_device.h"

#include "base/check.h"
#include "base/inject.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/platform.h"
#include "vk/buffer.h"
#include "vk/cooperative.h"
#include "vk/interpose.h"
#include "vk/pipeline.h"
#include "vk/probe.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum vks_status device_check(const struct vks_device *device, VkResult result, const char *call) {
    switch (result) {
    case VK_SUCCESS:
        return VKS_OK;
    case VK_ERROR_OUT_OF_HOST_MEMORY:
        log_error(device->log, "%s: out of memory", call);
        return VKS_ERR_OOM;
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
        log_error(device->log, "%s: out of device memory (%.1f MiB in use)", call,
                  (double)device->memory_now_bytes / 0x1p20);
        return VKS_ERR_DEVICE_OOM;
    case VK_ERROR_DEVICE_LOST:
        log_error(device->log, "%s: the device %s was lost", call, device->info.name);
        return VKS_ERR_DEVICE_LOST;
    default:
        log_error(device->log, "%s failed with VkResult %d on %s", call, result, device->info.name);
        return VKS_ERR_UNSUPPORTED;
    }
}

enum vks_status vks_devices_list(const struct vks_log *log, struct vks_device_info **infos,
                                 size_t *num_infos) {
    VkInstance instance = VK_NULL_HANDLE;
    VkPhysicalDevice *physical = NULL;
    uint32_t num = 0;
    struct limits limits;
    TRY(limits_read(log, &limits));
    TRY(probe_instance(log, &instance));
    enum vks_status status = probe_list(log, instance, &physical, &num);
    struct vks_device_info *list = NULL;
    if (status == VKS_OK) {
        list = memory_calloc(num, sizeof *list);
        status = list ? VKS_OK : VKS_ERR_OOM;
    }
    for (uint32_t i = 0; status == VKS_OK && i < num; i++) {
        struct probe probe;
        probe_device(physical[i], i, &limits, &probe);
        list[i] = probe.info;
    }
    free(physical);
    vkDestroyInstance(instance, NULL);
    if (status == VKS_OK) {
        *infos = list;
        *num_infos = num;
    }
    return status;
}

static bool contains_ignoring_case(const char *text, const char *part) {
    size_t part_bytes = strlen(part);
    for (; *text; text++) {
        size_t i = 0;
        while (i < part_bytes && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i]))
            i++;
        if (i == part_bytes)
            return true;
    }
    return part_bytes == 0;
}

static bool selected(const struct vks_device_info *info, const char *selector) {
    char *end;
    unsigned long idx = strtoul(selector, &end, 10);
    if (end != selector && *end == '\0')
        return info->index == idx;
    return contains_ignoring_case(info->name, selector);
}

// Smaller is better: the type first, then the newer interface, then the newer driver.
static bool better(const struct vks_device_info *a, const struct vks_device_info *b) {
    if (a->type != b->type)
        return a->type < b->type;
    uint32_t api_a = VK_MAKE_API_VERSION(0, a->api_major, a->api_minor, a->api_patch);
    uint32_t api_b = VK_MAKE_API_VERSION(0, b->api_major, b->api_minor, b->api_patch);
    if (api_a != api_b)
        return api_a > api_b;
    return a->driver_version > b->driver_version;
}

static enum vks_status choose(const struct vks_log *log, const char *selector,
                              const struct limits *limits, VkPhysicalDevice *physical, uint32_t num,
                              struct probe *chosen) {
    char names[1024] = "", unusable[600] = "";
    size_t used = 0;
    bool found = false;
    if (!selector)
        selector = platform_env("VKSEQ_DEVICE");
    for (uint32_t i = 0; i < num; i++) {
        struct probe probe;
        probe_device(physical[i], i, limits, &probe);
        if (used < sizeof names)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%u: %s", i ? ", " : "",
                                     i, probe.info.name);
        if (selector && *selector && !selected(&probe.info, selector))
            continue;
        if (probe.info.unusable[0]) {
            snprintf(unusable, sizeof unusable, "%s cannot be used: %s", probe.info.name,
                     probe.info.unusable);
            continue;
        }
        if (!found || better(&probe.info, &chosen->info))
            *chosen = probe;
        found = true;
    }
    if (found)
        return VKS_OK;
    if (unusable[0])
        log_error(log, "%s", unusable);
    else
        log_error(log, "no Vulkan device matches '%s'; there are: %s", selector, names);
    return VKS_ERR_NO_DEVICE;
}

static enum vks_status create_sentinel(struct vks_device *device) {
    struct vk_buffer *sentinel = memory_calloc(1, sizeof *sentinel);
    if (!sentinel)
        return VKS_ERR_OOM;
    device->sentinel = sentinel;
    return buffer_init(device, BUFFER_READBACK, sizeof(uint32_t), sentinel);
}

// Opens the device with the features that its kernels take.
static enum vks_status create_handle(struct vks_device *device) {
    const float priority = 1.0f;
    const VkDeviceQueueCreateInfo queue = {
        .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
        .queueFamilyIndex = device->queue_family,
        .queueCount = 1,
        .pQueuePriorities = &priority,
    };
    VkPhysicalDeviceBufferDeviceAddressFeatures address = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES,
        .bufferDeviceAddress = VK_TRUE,
    };
    VkPhysicalDeviceSubgroupSizeControlFeatures size_control = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES,
        .subgroupSizeControl = VK_TRUE,
        .computeFullSubgroups = VK_TRUE,
    };
    // Kernels by address load in pairs of floats.
    const VkPhysicalDeviceFeatures core = {.shaderInt64 = device->family >= KERNELS_ADDRESS};
    void *next = NULL;
    if (device->family >= KERNELS_ADDRESS)
        next = &address;
    if (device->pin_subgroup_size) {
        size_control.pNext = next;
        next = &size_control;
    }
    VkPhysicalDeviceVulkanMemoryModelFeatures memory_model = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES,
        .pNext = next,
        .vulkanMemoryModel = VK_TRUE,
    };
    VkPhysicalDeviceShaderFloat16Int8Features float16 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES,
        .pNext = &memory_model,
        .shaderFloat16 = device->mma[ELEMENT_F16].rows > 0,
    };
    const bool has_bfloat16 = device->mma[ELEMENT_BF16].rows > 0;
    struct bfloat16_features bfloat16 = bfloat16_features_needed(&float16);
    struct cooperative_features cooperative =
        cooperative_features_needed(has_bfloat16 ? (void *)&bfloat16 : &float16);
    const char *const extensions[] = {cooperative_extension, bfloat16_extension};
    if (device->mma[ELEMENT_F16].rows || has_bfloat16)
        next = &cooperative;
    const VkDeviceCreateInfo create = {
        .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
        .pNext = next,
        .enabledExtensionCount = next != &cooperative ? 0u
                                 : has_bfloat16       ? 2u
                                                      : 1u,
        .ppEnabledExtensionNames = extensions,
        .pEnabledFeatures = &core,
        .queueCreateInfoCount = 1,
        .pQueueCreateInfos = &queue,
    };
    return device_check(device,
                        inject_vk("vkCreateDevice")
                            ? VK_ERROR_OUT_OF_HOST_MEMORY
                            : vkCreateDevice(device->physical, &create, NULL, &device->handle),
                        "vkCreateDevice");
}

static enum vks_status open_device(struct vks_device *device) {
    TRY(create_handle(device));
    inject_reopened();
    volkLoadDeviceTable(&device->vk, device->handle);
    interpose(device->instance, &device->vk);
    device->vk.vkGetDeviceQueue(device->handle, device->queue_family, 0, &device->queue);
    const VkCommandPoolCreateInfo pool = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
        .queueFamilyIndex = device->queue_family,
    };
    TRY(device_check(
        device, device->vk.vkCreateCommandPool(device->handle, &pool, NULL, &device->command_pool),
        "vkCreateCommandPool"));
    TRY(create_sentinel(device));
    tuning_load(device);
    return pipeline_cache_create(device, &device->pipelines);
}

static void close_device(struct vks_device *device) {
    if (!device->handle)
        return;
    device->vk.vkDeviceWaitIdle(device->handle);
    pipeline_cache_destroy(device, &device->pipelines);
    tuning_save(device);
    tuning_finish(device);
    if (device->sentinel)
        buffer_finish(device, device->sentinel);
    free(device->sentinel);
    device->sentinel = NULL;
    device->vk.vkDestroyCommandPool(device->handle, device->command_pool, NULL);
    device->command_pool = VK_NULL_HANDLE;
    device->vk.vkDestroyDevice(device->handle, NULL);
    device->handle = VK_NULL_HANDLE;
}

enum vks_status device_reopen(struct vks_device *device) {
    uint64_t own_bytes = device->sentinel ? device->sentinel->bytes : 0;
    if (device->memory_now_bytes > own_bytes) {
        log_error(device->log,
                  "%s: lost, and not opened again because another part of the program has %.1f MiB "
                  "on it",
                  device->info.name, (double)(device->memory_now_bytes - own_bytes) / 0x1p20);
        return VKS_ERR_UNSUPPORTED;
    }
    close_device(device);
    return open_device(device);
}

enum vks_status vks_device_create(const char *selector, const struct vks_log *log,
                                  struct vks_device **result) {
    if (!inject_is_valid()) {
        log_error(log, "VKSEQ_INJECT: not a list of faults as src/base/inject.h describes them");
        return VKS_ERR_ARGUMENT;
    }
    struct vks_device *device = memory_calloc(1, sizeof *device);
    if (!device)
        return VKS_ERR_OOM;
    device->log = log;
    VkPhysicalDevice *physical = NULL;
    uint32_t num = 0;
    struct probe probe = {0};
    struct limits limits;
    enum vks_status status;
    TRY_GOTO(status, limits_read(log, &limits), failed);
    TRY_GOTO(status, probe_instance(log, &device->instance), failed);
    TRY_GOTO(status, probe_list(log, device->instance, &physical, &num), failed);
    TRY_GOTO(status, choose(log, selector, &limits, physical, num, &probe), failed);
    device->physical = physical[probe.info.index];
    device->info = probe.info;
    device->family = probe.family;
    device->wave = probe.wave;
    device->pin_subgroup_size = probe.pin_subgroup_size;
    device->tile = probe.tile;
    device->has_fixed_tiles = probe.has_fixed_tiles;
    memcpy(device->mma, probe.mma, sizeof device->mma);
    // Times on a software driver tell as much of the machine's other work, and cost as much.
    device->is_tuned = probe.info.type != VKS_DEVICE_CPU;
    device->queue_family = probe.queue_family;
    device->timestamp_ns = probe.timestamp_ns;
    device->memory_limit_bytes = probe.memory_limit_bytes;
    device->has_memory_budget = probe.has_memory_budget;
    vkGetPhysicalDeviceMemoryProperties(device->physical, &device->memory);
    TRY_GOTO(status, open_device(device), failed);
    free(physical);
    *result = device;
    return VKS_OK;
failed:
    free(physical);
    vks_device_destroy(&device);
    return status;
}

const struct vks_device_info *vks_device_info(const struct vks_device *device) {
    return &device->info;
}

void vks_device_memory(const struct vks_device *device, uint64_t *now_bytes, uint64_t *peak_bytes) {
    *now_bytes = device->memory_now_bytes;
    *peak_bytes = device->memory_peak_bytes;
}

void vks_device_destroy(struct vks_device **device_ref) {
    struct vks_device *device = *device_ref;
    if (!device)
        return;
    close_device(device);
    if (device->instance)
        vkDestroyInstance(device->instance, NULL);
    free(device);
    *device_ref = NULL;
}
