// How much device memory there is to take.
#ifndef VK_BUDGET_H
#define VK_BUDGET_H

#include "vk/vk_device.h"

// Bytes of buffers that may be added to what the device object has, so that a tenth stays free: of
// what the driver gives this process of the largest device-local heap (VK_EXT_memory_budget), where
// it says so, else of that heap, and of what VKSEQ_LIMITS gives.
uint64_t budget_bytes(const struct vks_device *device);

#endif
