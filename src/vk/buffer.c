#include "vk/buffer.h"

#include "base/check.h"
#include "base/inject.h"
#include "base/log.h"

#include <string.h>

enum { STAGING_BYTES = 8 << 20 };

static const uint64_t MAX_SLAB_BYTES = 1ull << 30;

// Memory types in order of preference: every flag of a row must be there.
static const VkMemoryPropertyFlags preferences[][3] = {
    [BUFFER_DEVICE] = {VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0, 0},
    [BUFFER_UPLOAD] = {VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                           VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
                       VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
                       VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT},
    [BUFFER_READBACK] = {VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                             VK_MEMORY_PROPERTY_HOST_COHERENT_BIT |
                             VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
                         VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
                         VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                             VK_MEMORY_PROPERTY_HOST_COHERENT_BIT},
};

static VkResult allocate(struct vks_device *device, enum buffer_kind kind,
                         const VkMemoryRequirements *needs, struct vk_buffer *buffer,
                         VkMemoryPropertyFlags *flags) {
    const VkMemoryAllocateFlagsInfo address = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
        .flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT,
    };
    VkResult result = VK_ERROR_OUT_OF_DEVICE_MEMORY;
    if (inject_device_alloc())
        return result;
    for (size_t i = 0; i < COUNT_OF(preferences[0]); i++) {
        for (uint32_t type = 0; type < device->memory.memoryTypeCount; type++) {
            *flags = device->memory.memoryTypes[type].propertyFlags;
            if (!(needs->memoryTypeBits & (1u << type)) ||
                (*flags & preferences[kind][i]) != preferences[kind][i])
                continue;
            const VkMemoryAllocateInfo info = {
                .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                .pNext = device->family >= KERNELS_ADDRESS ? &address : NULL,
                .allocationSize = needs->size,
                .memoryTypeIndex = type,
            };
            result = device->vk.vkAllocateMemory(device->handle, &info, NULL, &buffer->memory);
            if (result == VK_SUCCESS)
                return result;
        }
    }
    return result;
}

uint64_t buffer_max_bytes(const struct vks_device *device) {
    uint64_t bytes = device->info.max_allocation_bytes / BUFFER_ALIGNMENT * BUFFER_ALIGNMENT;
    return bytes < MAX_SLAB_BYTES ? bytes : MAX_SLAB_BYTES;
}

static enum vks_status check_size(const struct vks_device *device, uint64_t bytes) {
    const struct vks_device_info *info = &device->info;
    uint64_t used = device->memory_now_bytes, limit = device->memory_limit_bytes;
    if (bytes > info->max_allocation_bytes)
        log_error(device->log,
                  "a buffer of %.1f MiB is more than the %.1f MiB that %s allocates "
                  "at once",
                  (double)bytes / 0x1p20, (double)info->max_allocation_bytes / 0x1p20, info->name);
    else if (used > limit || bytes > limit - used)
        log_error(device->log,
                  "a buffer of %.1f MiB beside %.1f MiB in use is more than the %.1f MiB that "
                  "VKSEQ_LIMITS gives %s",
                  (double)bytes / 0x1p20, (double)used / 0x1p20, (double)limit / 0x1p20,
                  info->name);
    else
        return VKS_OK;
    return VKS_ERR_DEVICE_OOM;
}

enum vks_status buffer_init(struct vks_device *device, enum buffer_kind kind, uint64_t bytes,
                            struct vk_buffer *buffer) {
    bool has_address = device->family >= KERNELS_ADDRESS;
    const VkBufferCreateInfo create = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .size = round_up_u64(bytes ? bytes : 4, BUFFER_ALIGNMENT),
        .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT |
                 VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT |
                 (has_address ? VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT : 0u) |
                 (device->family == KERNELS_TEXEL ? VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT : 0u),
    };
    struct vk_buffer made = {.bytes = create.size};
    VkMemoryPropertyFlags flags = 0;
    VkMemoryRequirements needs;
    enum vks_status status;
    TRY(check_size(device, create.size));
    TRY_GOTO(status,
             device_check(device,
                          device->vk.vkCreateBuffer(device->handle, &create, NULL, &made.handle),
                          "vkCreateBuffer"),
             failed);
    device->vk.vkGetBufferMemoryRequirements(device->handle, made.handle, &needs);
    TRY_GOTO(
        status,
        device_check(device, allocate(device, kind, &needs, &made, &flags), "vkAllocateMemory"),
        failed);
    TRY_GOTO(status,
             device_check(
                 device, device->vk.vkBindBufferMemory(device->handle, made.handle, made.memory, 0),
                 "vkBindBufferMemory"),
             failed);
    // Coherent memory is mapped for good; the rest is reached through staging.
    if ((flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) &&
        (flags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT))
        TRY_GOTO(status,
                 device_check(device,
                              device->vk.vkMapMemory(device->handle, made.memory, 0, VK_WHOLE_SIZE,
                                                     0, &made.mapped),
                              "vkMapMemory"),
                 failed);
    if (has_address) {
        const VkBufferDeviceAddressInfo info = {
            .sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO, .buffer = made.handle};
        made.address = device->vk.vkGetBufferDeviceAddress(device->handle, &info);
    }
    device->memory_now_bytes += made.bytes;
    if (device->memory_now_bytes > device->memory_peak_bytes)
        device->memory_peak_bytes = device->memory_now_bytes;
    *buffer = made;
    return VKS_OK;
failed:
    device->vk.vkDestroyBuffer(device->handle, made.handle, NULL);
    device->vk.vkFreeMemory(device->handle, made.memory, NULL);
    return status;
}

void buffer_finish(struct vks_device *device, struct vk_buffer *buffer) {
    if (!buffer->handle)
        return;
    device->vk.vkDestroyBuffer(device->handle, buffer->handle, NULL);
    device->vk.vkFreeMemory(device->handle, buffer->memory, NULL);
    device->memory_now_bytes -= buffer->bytes;
    memset(buffer, 0, sizeof *buffer);
}

void sentinel_record(struct vks_device *device, VkCommandBuffer commands, struct vk_range word) {
    const VkPipelineStageFlags work =
        VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
    const VkMemoryBarrier before = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
        .dstAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
    };
    // All that the device wrote becomes visible to the host.
    VkMemoryBarrier after = before;
    after.dstAccessMask = VK_ACCESS_HOST_READ_BIT;
    device->vk.vkCmdPipelineBarrier(commands, work, VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 1, &before,
                                    0, NULL, 0, NULL);
    device->vk.vkCmdFillBuffer(commands, word.buffer->handle, word.offset, word.bytes, 1);
    device->vk.vkCmdPipelineBarrier(commands, work, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &after, 0,
                                    NULL, 0, NULL);
}

enum vks_status sentinel_check(const struct vks_device *device, const uint32_t *word) {
    if (*(const volatile uint32_t *)word == 1)
        return VKS_OK;
    log_error(device->log,
              "%s: work was submitted and waited for, but not done; the driver may have reset the "
              "device",
              device->info.name);
    return VKS_ERR_DEVICE_LOST;
}

// A command buffer used once, and waited for.
static enum vks_status begin_once(struct vks_device *device, VkCommandBuffer *commands) {
    const VkCommandBufferAllocateInfo allocate_info = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = device->command_pool,
        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
        .commandBufferCount = 1,
    };
    const VkCommandBufferBeginInfo begin = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
        .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
    };
    TRY(device_check(device,
                     device->vk.vkAllocateCommandBuffers(device->handle, &allocate_info, commands),
                     "vkAllocateCommandBuffers"));
    enum vks_status status = device_check(
        device, device->vk.vkBeginCommandBuffer(*commands, &begin), "vkBeginCommandBuffer");
    if (status != VKS_OK)
        device->vk.vkFreeCommandBuffers(device->handle, device->command_pool, 1, commands);
    return status;
}

static enum vks_status end_once(struct vks_device *device, VkCommandBuffer commands) {
    const VkSubmitInfo submit = {
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .commandBufferCount = 1,
        .pCommandBuffers = &commands,
    };
    uint32_t *sentinel = device->sentinel->mapped;
    *sentinel = 0;
    sentinel_record(device, commands, (struct vk_range){device->sentinel, 0, sizeof *sentinel});
    enum vks_status status =
        device_check(device, device->vk.vkEndCommandBuffer(commands), "vkEndCommandBuffer");
    if (status == VKS_OK)
        status = device_check(device,
                              device->vk.vkQueueSubmit(device->queue, 1, &submit, VK_NULL_HANDLE),
                              "vkQueueSubmit");
    if (status == VKS_OK) {
        status = device_check(device, device->vk.vkQueueWaitIdle(device->queue), "vkQueueWaitIdle");
        if (status == VKS_OK)
            status = sentinel_check(device, sentinel);
        else // the commands may still be at work
            device->vk.vkDeviceWaitIdle(device->handle);
    }
    device->vk.vkFreeCommandBuffers(device->handle, device->command_pool, 1, &commands);
    return status;
}

enum vks_status buffer_copy(struct vks_device *device, struct vk_range from, struct vk_range to) {
    const VkBufferCopy copy = {from.offset, to.offset, from.bytes};
    CHECK(from.bytes == to.bytes);
    VkCommandBuffer commands = VK_NULL_HANDLE;
    TRY(begin_once(device, &commands));
    device->vk.vkCmdCopyBuffer(commands, from.buffer->handle, to.buffer->handle, 1, &copy);
    return end_once(device, commands);
}

// Moves a range through a staging buffer, piece by piece.
static enum vks_status transfer(struct vks_device *device, struct vk_range range,
                                const void *written, void *read) {
    struct vk_buffer staging;
    uint64_t piece_bytes = buffer_max_bytes(device);
    piece_bytes = piece_bytes < STAGING_BYTES ? piece_bytes : STAGING_BYTES;
    piece_bytes = piece_bytes < range.bytes ? piece_bytes : range.bytes;
    TRY(buffer_init(device, written ? BUFFER_UPLOAD : BUFFER_READBACK, piece_bytes, &staging));
    enum vks_status status = VKS_OK;
    for (uint64_t done = 0; done < range.bytes && status == VKS_OK; done += piece_bytes) {
        uint64_t bytes = range.bytes - done < piece_bytes ? range.bytes - done : piece_bytes;
        struct vk_range there = {range.buffer, range.offset + done, bytes};
        struct vk_range here = {&staging, 0, bytes};
        if (written) {
            memcpy(staging.mapped, (const char *)written + done, bytes);
            status = buffer_copy(device, here, there);
        } else {
            status = buffer_copy(device, there, here);
            if (status == VKS_OK)
                memcpy((char *)read + done, staging.mapped, bytes);
        }
    }
    buffer_finish(device, &staging);
    return status;
}

enum vks_status buffer_write(struct vks_device *device, struct vk_range range, const void *data) {
    CHECK(range.offset + range.bytes <= range.buffer->bytes);
    if (!range.buffer->mapped)
        return transfer(device, range, data, NULL);
    memcpy((char *)range.buffer->mapped + range.offset, data, range.bytes);
    return VKS_OK;
}

enum vks_status buffer_read(struct vks_device *device, struct vk_range range, void *data) {
    CHECK(range.offset + range.bytes <= range.buffer->bytes);
    if (!range.buffer->mapped)
        return transfer(device, range, NULL, data);
    memcpy(data, (const char *)range.buffer->mapped + range.offset, range.bytes);
    return VKS_OK;
}

enum vks_status buffer_fill(struct vks_device *device, struct vk_range range, uint32_t word) {
    CHECK(range.offset + range.bytes <= range.buffer->bytes);
    if (range.bytes == 0)
        return VKS_OK;
    VkCommandBuffer commands = VK_NULL_HANDLE;
    TRY(begin_once(device, &commands));
    device->vk.vkCmdFillBuffer(commands, range.buffer->handle, range.offset, range.bytes, word);
    return end_once(device, commands);
}
