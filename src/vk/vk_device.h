// A Vulkan device opened for compute: its functions, queue, limits and what it can do.
#ifndef VK_VK_DEVICE_H
#define VK_VK_DEVICE_H

#include "vkseq/device.h"

#include "lib/shared.h"
#include "vk/tuning.h"

#include <volk.h>

// Kernel families, by what the device can do. Every shader is compiled in each.
enum kernel_family {
    KERNELS_SHARED,   // waves talk through shared memory: any device
    KERNELS_SUBGROUP, // a wave is a subgroup
    KERNELS_ADDRESS,  // a wave is a subgroup, buffers are addresses
    KERNELS_TEXEL,    // the same, but matrices that are only read are texel buffers
    NUM_KERNEL_FAMILIES
};

// What of a matrix product one workgroup makes: 8, 16 or 64 rows in registers; 64 x 64 or 128 x 128
// by way of shared memory; or 32 x 64, 64 x 64 or 128 x 128 with cooperative matrices. Results do
// not depend on it, but that the last three are a kind of their own.
enum tile {
    TILE_SHORT,
    TILE_MEDIUM,
    TILE_TALL,
    TILE_BLOCK,
    TILE_LARGE_BLOCK,
    TILE_SMALL_MMA,
    TILE_MMA,
    TILE_LARGE_MMA,
    NUM_TILES
};

// A subgroup's multiplication: C [rows, cols] += A [rows, depth] B [depth, cols].
struct mma_shape {
    uint32_t rows, cols, depth;
};

const char *tile_name(enum tile tile);

const char *kernel_family_name(enum kernel_family family);

struct pipeline_cache;
struct vk_buffer;

struct vks_device {
    struct vks_device_info info;
    const struct vks_log *log; // borrowed
    VkInstance instance;
    VkPhysicalDevice physical;
    VkDevice handle;
    struct VolkDeviceTable vk;
    VkQueue queue;
    uint32_t queue_family;
    VkCommandPool command_pool;
    VkPhysicalDeviceMemoryProperties memory;
    enum kernel_family family;
    uint32_t wave;          // invocations a workgroup
    bool pin_subgroup_size; // ask for subgroups of exactly `wave`
    // Tall tiles hold 256 sums an invocation: right for software drivers, whose registers are
    // memory. With them, rows are also skewed (row_stride).
    enum tile tile;
    bool has_fixed_tiles; // VKSEQ_TILES has said so
    // Of cooperative matrices, by ELEMENT_ of what is multiplied; rows 0: kernels use none.
    struct mma_shape mma[NUM_ELEMENTS];
    bool is_tuned;                    // tiles are timed when a shape is met first
    struct tuning tuning;             // what was found
    float timestamp_ns;               // nanoseconds a tick; 0: no timestamps
    struct pipeline_cache *pipelines; // owned
    struct vk_buffer *sentinel;       // owned; of work submitted once
    uint64_t memory_now_bytes, memory_peak_bytes;
    uint64_t memory_limit_bytes; // of a profile; UINT64_MAX: what the driver gives
    bool has_memory_budget;      // VK_EXT_memory_budget
};

// The status for a Vulkan result; a failure is logged once with the call's name.
enum vks_status device_check(const struct vks_device *device, VkResult result, const char *call);

// Opens a lost device again; the pointer to it stays good. All buffers and recordings on it must be
// finished before. Errors: VKS_ERR_UNSUPPORTED if there are buffers on it still, and those of
// vks_device_create; the device can then only be opened again or destroyed.
enum vks_status device_reopen(struct vks_device *device);

#endif
