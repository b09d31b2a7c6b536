// Does what the Khronos validation layer must complain of, so that its silence elsewhere means
// something: core validation of a size, synchronisation validation of a missing barrier, best
// practices of a small allocation. Nothing is submitted. Exit code 77 without the layer or a
// device.
#include "support/gpu.h"
#include "vk/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has_layer(void) {
    VkLayerProperties layers[64];
    uint32_t num = 64;
    if (volkInitialize() != VK_SUCCESS ||
        vkEnumerateInstanceLayerProperties(&num, layers) != VK_SUCCESS)
        return false;
    for (uint32_t i = 0; i < num; i++)
        if (strcmp(layers[i].layerName, "VK_LAYER_KHRONOS_validation") == 0)
            return true;
    return false;
}

static void record_faults(struct vks_device *device, VkCommandBuffer commands, VkBuffer buffer) {
    const struct VolkDeviceTable *vk = &device->vk;
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    vk->vkBeginCommandBuffer(commands, &begin);
    vk->vkCmdFillBuffer(commands, buffer, 0, 64, 1);
    vk->vkCmdFillBuffer(commands, buffer, 0, 64, 2);  // written twice without a barrier
    vk->vkCmdFillBuffer(commands, buffer, 128, 3, 0); // not a multiple of 4
    vk->vkEndCommandBuffer(commands);
}

int main(void) {
    if (!has_layer()) {
        puts("the Khronos validation layer is not installed");
        return 77;
    }
    void *state = NULL;
    if (gpu_setup(&state) != 0)
        return EXIT_FAILURE;
    struct vks_device *device = state;
    struct vk_buffer buffer;
    VkCommandBuffer commands;
    const VkCommandBufferAllocateInfo allocate = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = device->command_pool,
        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
        .commandBufferCount = 1,
    };
    if (buffer_init(device, BUFFER_DEVICE, 256, &buffer) != VKS_OK ||
        device->vk.vkAllocateCommandBuffers(device->handle, &allocate, &commands) != VK_SUCCESS)
        return EXIT_FAILURE;
    record_faults(device, commands, buffer.handle);
    device->vk.vkFreeCommandBuffers(device->handle, device->command_pool, 1, &commands);
    buffer_finish(device, &buffer);
    return gpu_teardown(&state);
}
