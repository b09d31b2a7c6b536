// Cooperative matrices: a subgroup multiplies small matrices as one (VK_KHR_cooperative_matrix, and
// for bfloat16 VK_KHR_shader_bfloat16).
#ifndef VK_COOPERATIVE_H
#define VK_COOPERATIVE_H

#include "vk/vk_device.h"

// The extensions' features, to be chained where devices are made; Debian 12's headers are older.
struct cooperative_features {
    VkStructureType type;
    void *next;
    VkBool32 cooperative_matrix, robust_buffer_access;
};

struct bfloat16_features {
    VkStructureType type;
    void *next;
    VkBool32 has_type, has_dot_product, has_matrices;
};

extern const char cooperative_extension[], bfloat16_extension[];

// What is to be enabled.
struct cooperative_features cooperative_features_needed(void *next);
struct bfloat16_features bfloat16_features_needed(void *next);

// Whether a device with both extensions has matrices of bfloat16.
bool cooperative_has_bfloat16(VkPhysicalDevice device);

// The shape of a subgroup's multiplication of float16 or bfloat16 (an ELEMENT_) with sums in
// float32 that kernels are to be made with, or rows 0 if the device has none. It has the extension.
struct mma_shape cooperative_shape(VkPhysicalDevice device, uint32_t element);

#endif
