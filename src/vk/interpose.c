#include "vk/interpose.h"

#include "base/inject.h"

// X(name, parameters, arguments). The wrappers call the loader's own functions, which find the
// device by its handles, so nothing is kept for it here.
#define CALLS(X)                                                                                   \
    X(AllocateCommandBuffers,                                                                      \
      (VkDevice device, const VkCommandBufferAllocateInfo *info, VkCommandBuffer *made),           \
      (device, info, made))                                                                        \
    X(AllocateDescriptorSets,                                                                      \
      (VkDevice device, const VkDescriptorSetAllocateInfo *info, VkDescriptorSet *made),           \
      (device, info, made))                                                                        \
    X(AllocateMemory,                                                                              \
      (VkDevice device, const VkMemoryAllocateInfo *info, const VkAllocationCallbacks *callbacks,  \
       VkDeviceMemory *made),                                                                      \
      (device, info, callbacks, made))                                                             \
    X(BeginCommandBuffer, (VkCommandBuffer commands, const VkCommandBufferBeginInfo *info),        \
      (commands, info))                                                                            \
    X(BindBufferMemory,                                                                            \
      (VkDevice device, VkBuffer buffer, VkDeviceMemory memory, VkDeviceSize offset),              \
      (device, buffer, memory, offset))                                                            \
    X(CreateBuffer,                                                                                \
      (VkDevice device, const VkBufferCreateInfo *info, const VkAllocationCallbacks *callbacks,    \
       VkBuffer *made),                                                                            \
      (device, info, callbacks, made))                                                             \
    X(CreateBufferView,                                                                            \
      (VkDevice device, const VkBufferViewCreateInfo *info,                                        \
       const VkAllocationCallbacks *callbacks, VkBufferView *made),                                \
      (device, info, callbacks, made))                                                             \
    X(CreateCommandPool,                                                                           \
      (VkDevice device, const VkCommandPoolCreateInfo *info,                                       \
       const VkAllocationCallbacks *callbacks, VkCommandPool *made),                               \
      (device, info, callbacks, made))                                                             \
    X(CreateComputePipelines,                                                                      \
      (VkDevice device, VkPipelineCache cache, uint32_t num,                                       \
       const VkComputePipelineCreateInfo *infos, const VkAllocationCallbacks *callbacks,           \
       VkPipeline *made),                                                                          \
      (device, cache, num, infos, callbacks, made))                                                \
    X(CreateDescriptorPool,                                                                        \
      (VkDevice device, const VkDescriptorPoolCreateInfo *info,                                    \
       const VkAllocationCallbacks *callbacks, VkDescriptorPool *made),                            \
      (device, info, callbacks, made))                                                             \
    X(CreateDescriptorSetLayout,                                                                   \
      (VkDevice device, const VkDescriptorSetLayoutCreateInfo *info,                               \
       const VkAllocationCallbacks *callbacks, VkDescriptorSetLayout *made),                       \
      (device, info, callbacks, made))                                                             \
    X(CreateFence,                                                                                 \
      (VkDevice device, const VkFenceCreateInfo *info, const VkAllocationCallbacks *callbacks,     \
       VkFence *made),                                                                             \
      (device, info, callbacks, made))                                                             \
    X(CreatePipelineLayout,                                                                        \
      (VkDevice device, const VkPipelineLayoutCreateInfo *info,                                    \
       const VkAllocationCallbacks *callbacks, VkPipelineLayout *made),                            \
      (device, info, callbacks, made))                                                             \
    X(CreateQueryPool,                                                                             \
      (VkDevice device, const VkQueryPoolCreateInfo *info, const VkAllocationCallbacks *callbacks, \
       VkQueryPool *made),                                                                         \
      (device, info, callbacks, made))                                                             \
    X(CreateShaderModule,                                                                          \
      (VkDevice device, const VkShaderModuleCreateInfo *info,                                      \
       const VkAllocationCallbacks *callbacks, VkShaderModule *made),                              \
      (device, info, callbacks, made))                                                             \
    X(EndCommandBuffer, (VkCommandBuffer commands), (commands))                                    \
    X(MapMemory,                                                                                   \
      (VkDevice device, VkDeviceMemory memory, VkDeviceSize offset, VkDeviceSize bytes,            \
       VkMemoryMapFlags flags, void **mapped),                                                     \
      (device, memory, offset, bytes, flags, mapped))                                              \
    X(ResetFences, (VkDevice device, uint32_t num, const VkFence *fences), (device, num, fences))

#define WRAPPER(name, parameters, arguments)                                                       \
    static VKAPI_ATTR VkResult VKAPI_CALL faulty_##name parameters {                               \
        return inject_vk("vk" #name) ? VK_ERROR_OUT_OF_HOST_MEMORY : vk##name arguments;           \
    }
CALLS(WRAPPER)
#undef WRAPPER

static VKAPI_ATTR VkResult VKAPI_CALL faulty_QueueSubmit(VkQueue queue, uint32_t num,
                                                         const VkSubmitInfo *submits,
                                                         VkFence fence) {
    if (inject_vk("vkQueueSubmit"))
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    if (inject_lost())
        return VK_ERROR_DEVICE_LOST;
    return inject_skip() ? vkQueueSubmit(queue, 0, NULL, fence)
                         : vkQueueSubmit(queue, num, submits, fence);
}

// A device that is only lost by name works on: what it works on may go only when it is done.
static VKAPI_ATTR VkResult VKAPI_CALL faulty_QueueWaitIdle(VkQueue queue) {
    if (inject_vk("vkQueueWaitIdle"))
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    VkResult result = vkQueueWaitIdle(queue);
    return inject_lost() ? VK_ERROR_DEVICE_LOST : result;
}

static VKAPI_ATTR VkResult VKAPI_CALL faulty_WaitForFences(VkDevice device, uint32_t num,
                                                           const VkFence *fences, VkBool32 all,
                                                           uint64_t timeout_ns) {
    if (inject_vk("vkWaitForFences"))
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    if (inject_lost()) {
        vkDeviceWaitIdle(device);
        return VK_ERROR_DEVICE_LOST;
    }
    return vkWaitForFences(device, num, fences, all, timeout_ns);
}

void interpose(VkInstance instance, struct VolkDeviceTable *table) {
    if (!inject_is_on())
        return;
    volkLoadInstance(instance);
#define REPLACE(name, parameters, arguments) table->vk##name = faulty_##name;
    CALLS(REPLACE)
#undef REPLACE
    table->vkQueueSubmit = faulty_QueueSubmit;
    table->vkQueueWaitIdle = faulty_QueueWaitIdle;
    table->vkWaitForFences = faulty_WaitForFences;
}
