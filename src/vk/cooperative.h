// Cooperative matrices: a subgroup multiplies small matrices as one (VK_KHR_cooperative_matrix).
#ifndef VK_COOPERATIVE_H
#define VK_COOPERATIVE_H

#include "vk/vk_device.h"

// The extension's features, to be chained where devices are made; Debian 12's headers are older.
struct cooperative_features {
    VkStructureType type;
    void *next;
    VkBool32 cooperative_matrix, robust_buffer_access;
};

extern const char cooperative_extension[];

// What is to be enabled.
struct cooperative_features cooperative_features_needed(void *next);

// The shape of a subgroup's multiplication of float16 with sums in float32 that kernels are to be
// made with, or rows 0 if the device has none. It has the extension.
struct mma_shape cooperative_shape(VkPhysicalDevice device);

#endif
