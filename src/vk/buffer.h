// Device memory: one buffer an allocation, written and read by the host.
#ifndef VK_BUFFER_H
#define VK_BUFFER_H

#include "vk/vk_device.h"

enum buffer_kind {
    BUFFER_DEVICE,   // for the device; the host copies in and out
    BUFFER_UPLOAD,   // mapped, written by the host, read by the device
    BUFFER_READBACK, // mapped, written by the device, read by the host
};

struct vk_buffer {
    VkBuffer handle;
    VkDeviceMemory memory;
    uint64_t bytes;
    VkDeviceAddress address; // 0 without buffer addresses
    void *mapped;            // NULL when the host cannot reach it
};

// Where a range that a kernel binds may begin: a multiple of this is good for every device.
enum { BUFFER_ALIGNMENT = 256 };

// A stretch of a buffer.
struct vk_range {
    const struct vk_buffer *buffer;
    uint64_t offset, bytes;
};

// How large a slab of many tensors may be: 1 GiB, and no more than the device allocates at once.
uint64_t buffer_max_bytes(const struct vks_device *device);

// Errors: VKS_ERR_DEVICE_OOM, also if it is larger than the device's largest allocation;
// VKS_ERR_OOM.
enum vks_status buffer_init(struct vks_device *device, enum buffer_kind kind, uint64_t bytes,
                            struct vk_buffer *buffer);
void buffer_finish(struct vks_device *device, struct vk_buffer *buffer);

// Copies on the device, from a range to one of the same size that is apart from it. Waits.
enum vks_status buffer_copy(struct vks_device *device, struct vk_range from, struct vk_range to);

// Copies between host memory and a range; the device must be idle on that range. Waits.
enum vks_status buffer_write(struct vks_device *device, struct vk_range range, const void *data);
enum vks_status buffer_read(struct vks_device *device, struct vk_range range, void *data);
// A sentinel is a word that the device sets at the end of a submission. One that stays 0 tells of a
// driver that has dropped the work and says nothing of it, as some do when they reset the device.
// word: in a BUFFER_READBACK, cleared by the host before each submission.
void sentinel_record(struct vks_device *device, VkCommandBuffer commands, struct vk_range word);
// After waiting: VKS_ERR_DEVICE_LOST if the device has not set the word.
enum vks_status sentinel_check(const struct vks_device *device, const uint32_t *word);
// Fills a range with one 32-bit word; offset and bytes are multiples of 4. Waits.
enum vks_status buffer_fill(struct vks_device *device, struct vk_range range, uint32_t word);

#endif
