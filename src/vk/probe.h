// What a physical device can do, and which kernels vkseq would run on it.
#ifndef VK_PROBE_H
#define VK_PROBE_H

#include "vk/limits.h"
#include "vk/vk_device.h"

// Everything opening a device needs to know about it.
struct probe {
    struct vks_device_info info;
    enum kernel_family family;
    uint32_t wave;
    bool pin_subgroup_size;
    enum tile tile;
    bool has_fixed_tiles;
    bool has_memory_model; // Vulkan's, which shaders with cooperative matrices use
    bool has_bfloat16_matrices;
    struct mma_shape mma[NUM_ELEMENTS];
    uint32_t queue_family;
    float timestamp_ns;
    uint64_t memory_limit_bytes;
    bool has_memory_budget;
};

// Loads the Vulkan loader and makes an instance. Errors: VKS_ERR_NO_DEVICE, said in the log.
enum vks_status probe_instance(const struct vks_log *log, VkInstance *instance);

// The physical devices of an instance; *devices is allocated, free with free().
// Errors: VKS_ERR_NO_DEVICE when there are none, VKS_ERR_OOM.
enum vks_status probe_list(const struct vks_log *log, VkInstance instance,
                           VkPhysicalDevice **devices, uint32_t *num_devices);

// Asks one device, lowers what it says by the limits, and chooses kernels. In the environment
// VKSEQ_KERNELS=shared|subgroup|address|texel lowers the family, VKSEQ_TILES fixes the tiles (those
// of tile_name), and VKSEQ_COOPERATIVE=0|1 forbids cooperative matrices or asks for them on a
// software driver, where they are slow.
void probe_device(VkPhysicalDevice device, uint32_t idx, const struct limits *limits,
                  struct probe *probe);

#endif
