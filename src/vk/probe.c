#include "vk/probe.h"

#include "base/check.h"
#include "base/inject.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/platform.h"
#include "vk/cooperative.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Vulkan's floor for this project (docs/design.md, "Devices").
enum { MIN_STORAGE_BUFFERS = 8, MIN_INVOCATIONS = 64, MIN_PUSH_BYTES = 128, SHARED_WAVE = 32 };

const char *kernel_family_name(enum kernel_family family) {
    static const char *const names[] = {"shared", "subgroup", "address", "texel"};
    return names[family];
}

const char *tile_name(enum tile tile) {
    static const char *const names[] = {"short",       "medium",    "tall", "block",
                                        "large-block", "small-mma", "mma",  "large-mma"};
    return names[tile];
}

const char *vks_device_type_name(enum vks_device_type type) {
    static const char *const names[] = {"discrete", "integrated", "virtual", "cpu", "other"};
    return (size_t)type < COUNT_OF(names) ? names[type] : "other";
}

enum vks_status probe_instance(const struct vks_log *log, VkInstance *instance) {
    if (volkInitialize() != VK_SUCCESS) {
        log_error(log, "no Vulkan loader (libvulkan.so.1) was found; install your distribution's "
                       "Vulkan loader (Debian and Ubuntu: libvulkan1, Fedora: vulkan-loader, "
                       "Arch: vulkan-icd-loader)");
        return VKS_ERR_NO_DEVICE;
    }
    uint32_t version = VK_API_VERSION_1_0;
    if (vkEnumerateInstanceVersion)
        vkEnumerateInstanceVersion(&version);
    const VkApplicationInfo app = {
        .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
        .pApplicationName = "vkseq",
        .pEngineName = "vkseq",
        .apiVersion = version < VK_API_VERSION_1_2 ? VK_API_VERSION_1_1 : VK_API_VERSION_1_3,
    };
    // Drivers that only translate to another interface (MoltenVK) are listed when asked for.
    const char *const portability = "VK_KHR_portability_enumeration";
    VkExtensionProperties extensions[128];
    uint32_t num_extensions = COUNT_OF(extensions);
    bool has_portability = false;
    if (vkEnumerateInstanceExtensionProperties(NULL, &num_extensions, extensions) < 0)
        num_extensions = 0;
    for (uint32_t i = 0; i < num_extensions; i++)
        has_portability |= strcmp(extensions[i].extensionName, portability) == 0;
    const VkInstanceCreateInfo create = {
        .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
        .flags = has_portability ? 1u /* VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR */ : 0u,
        .pApplicationInfo = &app,
        .enabledExtensionCount = has_portability ? 1u : 0u,
        .ppEnabledExtensionNames = &portability,
    };
    VkResult result = inject_vk("vkCreateInstance") ? VK_ERROR_OUT_OF_HOST_MEMORY
                                                    : vkCreateInstance(&create, NULL, instance);
    if (result != VK_SUCCESS) {
        log_error(log,
                  "no Vulkan driver could be loaded (vkCreateInstance gave %d); install one "
                  "(Debian and Ubuntu: mesa-vulkan-drivers, or your GPU vendor's)",
                  result);
        return VKS_ERR_NO_DEVICE;
    }
    volkLoadInstanceOnly(*instance);
    return VKS_OK;
}

enum vks_status probe_list(const struct vks_log *log, VkInstance instance,
                           VkPhysicalDevice **devices, uint32_t *num_devices) {
    uint32_t num = 0;
    VkPhysicalDevice *list = NULL;
    if (inject_vk("vkEnumeratePhysicalDevices") ||
        vkEnumeratePhysicalDevices(instance, &num, NULL) < 0 || num == 0) {
        log_error(log, "no Vulkan device was found; install a driver for your GPU, or "
                       "mesa-vulkan-drivers for the software driver lavapipe");
        return VKS_ERR_NO_DEVICE;
    }
    list = memory_calloc(num, sizeof *list);
    if (!list)
        return VKS_ERR_OOM;
    if (vkEnumeratePhysicalDevices(instance, &num, list) < 0 || num == 0) {
        free(list);
        log_error(log, "the Vulkan devices could not be listed");
        return VKS_ERR_NO_DEVICE;
    }
    *devices = list;
    *num_devices = num;
    return VKS_OK;
}

static bool has_extension(const VkExtensionProperties *list, uint32_t num, const char *name) {
    for (uint32_t i = 0; i < num; i++)
        if (strcmp(list[i].extensionName, name) == 0)
            return true;
    return false;
}

static enum vks_device_type device_type(VkPhysicalDeviceType type) {
    switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
        return VKS_DEVICE_DISCRETE;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
        return VKS_DEVICE_INTEGRATED;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
        return VKS_DEVICE_VIRTUAL;
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
        return VKS_DEVICE_CPU;
    default:
        return VKS_DEVICE_OTHER;
    }
}

static void probe_memory(VkPhysicalDevice device, struct vks_device_info *info) {
    VkPhysicalDeviceMemoryProperties memory;
    vkGetPhysicalDeviceMemoryProperties(device, &memory);
    for (uint32_t i = 0; i < memory.memoryHeapCount; i++)
        if (memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
            info->memory_bytes += memory.memoryHeaps[i].size;
}

// A queue family with compute; one without graphics is preferred, as it does not hold up a screen.
static void probe_queue(VkPhysicalDevice device, const VkPhysicalDeviceLimits *limits,
                        struct probe *probe) {
    VkQueueFamilyProperties families[32];
    uint32_t num = 0;
    int best = -1;
    vkGetPhysicalDeviceQueueFamilyProperties(device, &num, NULL);
    if (num > COUNT_OF(families))
        num = COUNT_OF(families);
    vkGetPhysicalDeviceQueueFamilyProperties(device, &num, families);
    for (uint32_t i = 0; i < num; i++) {
        if (!(families[i].queueFlags & VK_QUEUE_COMPUTE_BIT))
            continue;
        bool alone = !(families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT);
        if (best < 0 || (alone && (families[best].queueFlags & VK_QUEUE_GRAPHICS_BIT)))
            best = (int)i;
    }
    if (best < 0) {
        snprintf(probe->info.unusable, sizeof probe->info.unusable, "it has no compute queue");
        return;
    }
    probe->queue_family = (uint32_t)best;
    if (families[best].timestampValidBits)
        probe->timestamp_ns = limits->timestampPeriod;
    probe->info.timestamps = probe->timestamp_ns > 0;
}

// Features that kernels may use.
static void probe_features(VkPhysicalDevice device, uint32_t api, struct probe *probe) {
    struct vks_device_info *info = &probe->info;
    VkPhysicalDeviceSubgroupSizeControlFeatures size_control = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES};
    VkPhysicalDeviceVulkan12Features v12 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
    VkPhysicalDevice16BitStorageFeatures storage16 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES};
    VkPhysicalDeviceFeatures2 all = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                     .pNext = &storage16};
    if (api >= VK_API_VERSION_1_2)
        storage16.pNext = &v12;
    if (api >= VK_API_VERSION_1_3)
        v12.pNext = &size_control;
    vkGetPhysicalDeviceFeatures2(device, &all);
    info->int64 = all.features.shaderInt64;
    info->storage16 = storage16.storageBuffer16BitAccess;
    info->float16 = v12.shaderFloat16;
    probe->has_memory_model = v12.vulkanMemoryModel;
    info->buffer_address = v12.bufferDeviceAddress;
    info->subgroup_size_control =
        size_control.subgroupSizeControl && size_control.computeFullSubgroups;
}

static void probe_extensions(VkPhysicalDevice device, uint32_t api, struct probe *probe) {
    struct vks_device_info *info = &probe->info;
    VkExtensionProperties extensions[512];
    uint32_t num = COUNT_OF(extensions);
    if (vkEnumerateDeviceExtensionProperties(device, NULL, &num, extensions) < 0)
        num = 0;
    info->bfloat16 = has_extension(extensions, num, bfloat16_extension);
    info->integer_dot = api >= VK_API_VERSION_1_3 ||
                        has_extension(extensions, num, "VK_KHR_shader_integer_dot_product");
    info->cooperative_matrix = has_extension(extensions, num, cooperative_extension);
    probe->has_bfloat16_matrices =
        info->bfloat16 && info->cooperative_matrix && cooperative_has_bfloat16(device);
    probe->has_memory_budget = has_extension(extensions, num, "VK_EXT_memory_budget");
}

static void probe_subgroups(const VkPhysicalDeviceSubgroupProperties *subgroup,
                            const VkPhysicalDeviceSubgroupSizeControlProperties *size_control,
                            struct vks_device_info *info) {
    const VkSubgroupFeatureFlags needed = VK_SUBGROUP_FEATURE_BASIC_BIT |
                                          VK_SUBGROUP_FEATURE_ARITHMETIC_BIT |
                                          VK_SUBGROUP_FEATURE_BALLOT_BIT;
    info->subgroup_size = subgroup->subgroupSize;
    info->min_subgroup_size = size_control->minSubgroupSize;
    info->max_subgroup_size = size_control->maxSubgroupSize;
    info->subgroup_operations = (subgroup->supportedOperations & needed) == needed &&
                                (subgroup->supportedStages & VK_SHADER_STAGE_COMPUTE_BIT);
    info->subgroup_size_fixed =
        info->min_subgroup_size && info->min_subgroup_size == info->max_subgroup_size;
    if (!(size_control->requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT))
        info->subgroup_size_control = false;
}

// Which kernels fit: a wave must be exactly one subgroup for the subgroup families.
static void choose_family(struct probe *probe) {
    struct vks_device_info *info = &probe->info;
    uint32_t size = info->subgroup_size;
    bool fits = info->subgroup_operations && size >= 4 && size <= 64 &&
                (info->api_major > 1 || info->api_minor >= 2) &&
                (info->subgroup_size_fixed || info->subgroup_size_control);
    probe->family = KERNELS_SHARED;
    if (fits)
        probe->family = KERNELS_SUBGROUP;
    if (fits && info->buffer_address && info->int64)
        probe->family = info->texel_reads ? KERNELS_TEXEL : KERNELS_ADDRESS;
    const char *forced = platform_env("VKSEQ_KERNELS");
    for (int i = 0; forced && i < NUM_KERNEL_FAMILIES; i++)
        if (strcmp(forced, kernel_family_name(i)) == 0 && i < (int)probe->family)
            probe->family = i;
    probe->wave = probe->family == KERNELS_SHARED ? SHARED_WAVE : size;
    probe->pin_subgroup_size = probe->family != KERNELS_SHARED && !info->subgroup_size_fixed;
    const char *tiles = platform_env("VKSEQ_TILES");
    probe->tile = info->type == VKS_DEVICE_CPU ? TILE_TALL : TILE_BLOCK;
    for (int i = 0; tiles && i < NUM_TILES; i++) {
        if (strcmp(tiles, tile_name(i)) == 0) {
            probe->tile = i;
            probe->has_fixed_tiles = true;
        }
    }
    snprintf(info->kernels, sizeof info->kernels, "%s, wave %u", kernel_family_name(probe->family),
             probe->wave);
}

static void add_shape(struct vks_device_info *info, const char *name,
                      const struct mma_shape *shape) {
    const size_t used = strlen(info->kernels);
    if (shape->rows)
        snprintf(info->kernels + used, sizeof info->kernels - used, "%s %ux%ux%u", name,
                 shape->rows, shape->cols, shape->depth);
}

// Software drivers have cooperative matrices to test programs with: they are slow.
static void choose_cooperative(VkPhysicalDevice device, struct probe *probe) {
    const char *forced = platform_env("VKSEQ_COOPERATIVE");
    bool is_wanted =
        forced && *forced ? strcmp(forced, "0") != 0 : probe->info.type != VKS_DEVICE_CPU;
    if (!is_wanted || !probe->info.cooperative_matrix || !probe->has_memory_model ||
        probe->family == KERNELS_SHARED)
        return;
    if (probe->info.float16)
        probe->mma[ELEMENT_F16] = cooperative_shape(device, ELEMENT_F16);
    if (probe->info.bfloat16 && probe->has_bfloat16_matrices)
        probe->mma[ELEMENT_BF16] = cooperative_shape(device, ELEMENT_BF16);
    add_shape(&probe->info, ", matrices", &probe->mma[ELEMENT_F16]);
    add_shape(&probe->info, ", bf16", &probe->mma[ELEMENT_BF16]);
}

static void check_floor(struct vks_device_info *info) {
    char *why = info->unusable;
    size_t room = sizeof info->unusable;
    if (why[0])
        return;
    if (info->api_major == 1 && info->api_minor < 1)
        snprintf(why, room, "it has Vulkan %u.%u, vkseq needs 1.1", info->api_major,
                 info->api_minor);
    else if (info->max_storage_buffers < MIN_STORAGE_BUFFERS)
        snprintf(why, room, "it binds %u storage buffers a stage, vkseq needs %d",
                 info->max_storage_buffers, MIN_STORAGE_BUFFERS);
    else if (info->max_invocations < MIN_INVOCATIONS)
        snprintf(why, room, "it has %u invocations a workgroup, vkseq needs %d",
                 info->max_invocations, MIN_INVOCATIONS);
    else if (info->push_constant_bytes < MIN_PUSH_BYTES)
        snprintf(why, room, "it has %u bytes of push constants, vkseq needs %d",
                 info->push_constant_bytes, MIN_PUSH_BYTES);
}

// lavapipe of Mesa 26 overruns an array of its own when it compiles for vectors of 512 bits.
static void check_vectors(const VkPhysicalDeviceDriverProperties *driver,
                          struct vks_device_info *info) {
    const char *width = platform_env("LP_NATIVE_VECTOR_WIDTH");
    unsigned mesa = 0;
    if (driver->driverID == VK_DRIVER_ID_MESA_LLVMPIPE && width && atoi(width) > 256 &&
        sscanf(driver->driverInfo, "Mesa %u", &mesa) == 1 && mesa >= 26)
        snprintf(info->unusable, sizeof info->unusable,
                 "Mesa %u compiles for vectors of at most 256 bits: set LP_NATIVE_VECTOR_WIDTH=256",
                 mesa);
}

// Mesa's driver for AMD before 26.1 multiplies matrices of bfloat16 wrongly on RDNA 3.
static bool has_wrong_bfloat16(const VkPhysicalDeviceDriverProperties *driver) {
    unsigned major, minor;
    return driver->driverID == VK_DRIVER_ID_MESA_RADV &&
           sscanf(driver->driverInfo, "Mesa %u.%u", &major, &minor) == 2 &&
           (major < 26 || (major == 26 && minor < 1));
}

// What every device says about itself, whatever its version.
static void probe_core(const VkPhysicalDeviceProperties *properties, uint32_t idx,
                       struct vks_device_info *info) {
    const VkPhysicalDeviceLimits *limits = &properties->limits;
    info->index = idx;
    info->api_major = VK_API_VERSION_MAJOR(properties->apiVersion);
    info->api_minor = VK_API_VERSION_MINOR(properties->apiVersion);
    info->api_patch = VK_API_VERSION_PATCH(properties->apiVersion);
    snprintf(info->name, sizeof info->name, "%s", properties->deviceName);
    info->vendor_id = properties->vendorID;
    info->device_id = properties->deviceID;
    info->driver_version = properties->driverVersion;
    info->type = device_type(properties->deviceType);
    info->max_binding_bytes = limits->maxStorageBufferRange;
    info->max_invocations = limits->maxComputeWorkGroupInvocations;
    info->shared_memory_bytes = limits->maxComputeSharedMemorySize;
    info->max_storage_buffers = limits->maxPerStageDescriptorStorageBuffers;
    info->push_constant_bytes = limits->maxPushConstantsSize;
    info->texel_reads =
        info->type == VKS_DEVICE_CPU &&
        limits->maxTexelBufferElements >= limits->maxStorageBufferRange / (4 * sizeof(float));
}

// What Vulkan 1.1 and later can be asked besides.
static void probe_extended(VkPhysicalDevice device, uint32_t api, struct probe *probe) {
    struct vks_device_info *info = &probe->info;
    VkPhysicalDeviceSubgroupSizeControlProperties size_control = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES};
    VkPhysicalDeviceDriverProperties driver = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
    VkPhysicalDeviceMaintenance3Properties maintenance3 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES};
    VkPhysicalDeviceSubgroupProperties subgroup = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES, .pNext = &maintenance3};
    VkPhysicalDeviceProperties2 all = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                       .pNext = &subgroup};
    if (api >= VK_API_VERSION_1_2)
        maintenance3.pNext = &driver;
    if (api >= VK_API_VERSION_1_3)
        driver.pNext = &size_control;
    vkGetPhysicalDeviceProperties2(device, &all);
    snprintf(info->driver, sizeof info->driver, "%s %s", driver.driverName, driver.driverInfo);
    check_vectors(&driver, info);
    info->max_allocation_bytes = maintenance3.maxMemoryAllocationSize;
    probe_features(device, api, probe);
    probe_extensions(device, api, probe);
    if (has_wrong_bfloat16(&driver))
        probe->has_bfloat16_matrices = false;
    probe_subgroups(&subgroup, &size_control, info);
}

void probe_device(VkPhysicalDevice device, uint32_t idx, const struct limits *limits,
                  struct probe *probe) {
    memset(probe, 0, sizeof *probe);
    struct vks_device_info *info = &probe->info;
    VkPhysicalDeviceProperties properties;
    vkGetPhysicalDeviceProperties(device, &properties);
    probe_core(&properties, idx, info);
    probe_memory(device, info);
    probe_queue(device, &properties.limits, probe);
    if (properties.apiVersion >= VK_API_VERSION_1_1)
        probe_extended(device, properties.apiVersion, probe);
    limits_apply(limits, info);
    probe->memory_limit_bytes = limits->most[LIMIT_MEMORY];
    if (!info->timestamps)
        probe->timestamp_ns = 0;
    check_floor(info);
    if (info->unusable[0])
        return;
    choose_family(probe);
    choose_cooperative(device, probe);
}
