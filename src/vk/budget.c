#include "vk/budget.h"

enum { KEPT_FREE = 10 }; // a part in so many

static uint32_t largest_heap(const VkPhysicalDeviceMemoryProperties *memory) {
    uint32_t best = 0;
    uint64_t best_bytes = 0;
    for (uint32_t i = 0; i < memory->memoryHeapCount; i++) {
        bool is_local = memory->memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT;
        if (is_local && memory->memoryHeaps[i].size > best_bytes) {
            best = i;
            best_bytes = memory->memoryHeaps[i].size;
        }
    }
    return best;
}

// What may be added to `used` so that a part of the whole stays free.
static uint64_t rest(uint64_t whole, uint64_t used) {
    uint64_t usable = whole - whole / KEPT_FREE;
    return usable > used ? usable - used : 0;
}

uint64_t budget_bytes(const struct vks_device *device) {
    VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
    VkPhysicalDeviceMemoryProperties2 memory = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2,
        .pNext = device->has_memory_budget ? &budget : NULL};
    vkGetPhysicalDeviceMemoryProperties2(device->physical, &memory);
    uint32_t heap = largest_heap(&memory.memoryProperties);
    uint64_t whole = memory.memoryProperties.memoryHeaps[heap].size;
    uint64_t used = device->memory_now_bytes;
    if (device->has_memory_budget) {
        whole = budget.heapBudget[heap];
        used = budget.heapUsage[heap];
    }
    uint64_t left = rest(whole, used);
    uint64_t allowed = rest(device->memory_limit_bytes, device->memory_now_bytes);
    return left < allowed ? left : allowed;
}
