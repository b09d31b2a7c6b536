// Faults of Vulkan calls (base/inject.h): a device's functions replaced by ones that may fail.
#ifndef VK_INTERPOSE_H
#define VK_INTERPOSE_H

#include "vk/vk_device.h"

// Replaces those functions of the table that can fail, if faults are to be injected at all: a table
// that is left alone costs nothing.
void interpose(VkInstance instance, struct VolkDeviceTable *table);

#endif
