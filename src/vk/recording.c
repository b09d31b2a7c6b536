#include "vk/recording.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/inject.h"
#include "base/log.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { SETS_A_POOL = 256, MAX_ACCESSES = 256, MAX_SEGMENTS = 1024, MAX_PROFILED = 8192 };
static const uint64_t SENTINEL_BYTES = sizeof(uint32_t);

// Work submitted at once is bounded, so that a GPU that also drives a screen stays responsive.
static const double SEGMENT_FLOPS = 20e9;

struct touched {
    VkBuffer buffer;
    uint64_t begin, end;
    bool write;
};

struct recording {
    struct vks_device *device; // borrowed
    struct recording_params params;
    VkCommandBuffer segments[MAX_SEGMENTS];
    uint32_t num_segments, num_dispatches, num_barriers;
    double segment_flops;
    bool open; // the last segment is being recorded
    VkDescriptorPool *pools;
    uint32_t num_pools, num_sets_left;
    VkBufferView *views;
    uint32_t num_views, views_capacity;
    struct touched touched[MAX_ACCESSES];
    uint32_t num_touched;
    VkFence fence;
    bool under_way;
    struct vk_buffer sentinels; // a word a segment
    VkQueryPool queries;        // a timestamp after each of num_profiled commands
    uint32_t num_profiled;
    VkQueryPool spans; // two timestamps a segment
};

// None on a device that has no timestamps.
static enum vks_status create_timestamps(struct vks_device *device, uint32_t num,
                                         VkQueryPool *pool) {
    const VkQueryPoolCreateInfo create = {
        .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
        .queryType = VK_QUERY_TYPE_TIMESTAMP,
        .queryCount = num,
    };
    if (device->timestamp_ns <= 0.0f)
        return VKS_OK;
    return device_check(device, device->vk.vkCreateQueryPool(device->handle, &create, NULL, pool),
                        "vkCreateQueryPool");
}

enum vks_status recording_create(struct vks_device *device, const struct recording_params *params,
                                 struct recording **result) {
    struct recording *recording = memory_calloc(1, sizeof *recording);
    if (!recording)
        return VKS_ERR_OOM;
    recording->device = device;
    recording->params = *params;
    const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    enum vks_status status = device_check(
        device, device->vk.vkCreateFence(device->handle, &fence, NULL, &recording->fence),
        "vkCreateFence");
    if (status == VKS_OK)
        status = buffer_init(device, BUFFER_READBACK, MAX_SEGMENTS * SENTINEL_BYTES,
                             &recording->sentinels);
    if (status == VKS_OK && params->profile)
        status = create_timestamps(device, MAX_PROFILED + 1, &recording->queries);
    if (status == VKS_OK && params->timed)
        status = create_timestamps(device, 2 * MAX_SEGMENTS, &recording->spans);
    if (status != VKS_OK)
        recording_destroy(&recording);
    else
        *result = recording;
    return status;
}

static void barrier(struct recording *recording) {
    const VkPipelineStageFlags stages = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT |
                                        VK_PIPELINE_STAGE_TRANSFER_BIT |
                                        VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT;
    const VkMemoryBarrier memory = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
        .dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT |
                         VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT |
                         VK_ACCESS_INDIRECT_COMMAND_READ_BIT,
    };
    recording->device->vk.vkCmdPipelineBarrier(recording->segments[recording->num_segments - 1],
                                               stages, stages, 0, 1, &memory, 0, NULL, 0, NULL);
    recording->num_touched = 0;
    recording->num_barriers++;
}

static enum vks_status close_segment(struct recording *recording) {
    if (!recording->open)
        return VKS_OK;
    recording->open = false;
    uint32_t segment_idx = recording->num_segments - 1;
    VkCommandBuffer commands = recording->segments[segment_idx];
    sentinel_record(
        recording->device, commands,
        (struct vk_range){&recording->sentinels, segment_idx * SENTINEL_BYTES, SENTINEL_BYTES});
    if (recording->spans)
        recording->device->vk.vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT,
                                                  recording->spans, 2 * segment_idx + 1);
    return device_check(recording->device, recording->device->vk.vkEndCommandBuffer(commands),
                        "vkEndCommandBuffer");
}

// The command buffer to record into; a new segment begins when the last one holds enough work.
static enum vks_status segment(struct recording *recording, double flops,
                               VkCommandBuffer *commands) {
    struct vks_device *device = recording->device;
    bool unbounded = device->info.type == VKS_DEVICE_CPU;
    bool is_full = !unbounded && recording->segment_flops + flops > SEGMENT_FLOPS;
    if (recording->open && (is_full || inject_cut()))
        TRY(close_segment(recording));
    if (!recording->open) {
        CHECK(recording->num_segments < MAX_SEGMENTS);
        const VkCommandBufferAllocateInfo allocate = {
            .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
            .commandPool = device->command_pool,
            .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
            .commandBufferCount = 1,
        };
        const VkCommandBufferBeginInfo begin = {.sType =
                                                    VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
        VkCommandBuffer *made = &recording->segments[recording->num_segments];
        TRY(device_check(device,
                         device->vk.vkAllocateCommandBuffers(device->handle, &allocate, made),
                         "vkAllocateCommandBuffers"));
        recording->num_segments++;
        TRY(device_check(device, device->vk.vkBeginCommandBuffer(*made, &begin),
                         "vkBeginCommandBuffer"));
        recording->open = true;
        recording->segment_flops = 0;
        barrier(recording);
        if (recording->queries && recording->num_segments == 1) {
            device->vk.vkCmdResetQueryPool(*made, recording->queries, 0, MAX_PROFILED + 1);
            device->vk.vkCmdWriteTimestamp(*made, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT,
                                           recording->queries, 0);
        }
        if (recording->spans) {
            uint32_t first = 2 * (recording->num_segments - 1);
            device->vk.vkCmdResetQueryPool(*made, recording->spans, first, 2);
            device->vk.vkCmdWriteTimestamp(*made, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT,
                                           recording->spans, first);
        }
    }
    recording->segment_flops += flops;
    *commands = recording->segments[recording->num_segments - 1];
    return VKS_OK;
}

static bool conflicts(const struct recording *recording, struct vk_range range, bool write) {
    uint64_t end = range.offset + range.bytes;
    for (uint32_t i = 0; i < recording->num_touched; i++) {
        const struct touched *old = &recording->touched[i];
        if (old->buffer == range.buffer->handle && (write || old->write) && old->begin < end &&
            range.offset < old->end)
            return true;
    }
    return false;
}

static void touch(struct recording *recording, struct vk_range range, bool write) {
    recording->touched[recording->num_touched++] =
        (struct touched){range.buffer->handle, range.offset, range.offset + range.bytes, write};
}

// A barrier, if what was touched since the last one asks for it; then the ranges count as touched.
static void order(struct recording *recording, const struct bind *binds, uint32_t num) {
    bool needed = (recording->params.barrier_everywhere || recording->params.profile) &&
                  recording->num_touched > 0;
    needed |= recording->num_touched + num > MAX_ACCESSES;
    for (uint32_t i = 0; i < num && !needed; i++)
        needed = binds[i].range.buffer &&
                 conflicts(recording, binds[i].range, binds[i].access & ACCESS_WRITE);
    if (needed)
        barrier(recording);
    for (uint32_t i = 0; i < num; i++)
        if (binds[i].range.buffer)
            touch(recording, binds[i].range, binds[i].access & ACCESS_WRITE);
}

static enum vks_status new_pool(struct recording *recording) {
    struct vks_device *device = recording->device;
    VkDescriptorPool *grown =
        memory_realloc(recording->pools, (recording->num_pools + 1) * sizeof *recording->pools);
    if (!grown)
        return VKS_ERR_OOM;
    recording->pools = grown;
    const VkDescriptorPoolSize size = {pipeline_descriptor_type(device),
                                       SETS_A_POOL * MAX_BINDINGS};
    const VkDescriptorPoolCreateInfo create = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
        .maxSets = SETS_A_POOL,
        .poolSizeCount = 1,
        .pPoolSizes = &size,
    };
    TRY(device_check(device,
                     device->vk.vkCreateDescriptorPool(device->handle, &create, NULL,
                                                       &grown[recording->num_pools]),
                     "vkCreateDescriptorPool"));
    recording->num_pools++;
    recording->num_sets_left = SETS_A_POOL;
    return VKS_OK;
}

static enum vks_status allocate_set(struct recording *recording, VkDescriptorSet *set) {
    struct vks_device *device = recording->device;
    if (recording->num_sets_left == 0)
        TRY(new_pool(recording));
    VkDescriptorSetLayout layout = pipeline_set_layout(device);
    const VkDescriptorSetAllocateInfo allocate = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
        .descriptorPool = recording->pools[recording->num_pools - 1],
        .descriptorSetCount = 1,
        .pSetLayouts = &layout,
    };
    TRY(device_check(device, device->vk.vkAllocateDescriptorSets(device->handle, &allocate, set),
                     "vkAllocateDescriptorSets"));
    recording->num_sets_left--;
    return VKS_OK;
}

// Writes all bindings of a set, by what the family's descriptors are, and binds it.
static void bind_set(const struct recording *recording, VkCommandBuffer commands,
                     VkDescriptorSet set, const VkDescriptorBufferInfo *buffers,
                     const VkBufferView *views) {
    const struct vks_device *device = recording->device;
    const VkWriteDescriptorSet write = {
        .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
        .dstSet = set,
        .descriptorCount = MAX_BINDINGS,
        .descriptorType = pipeline_descriptor_type(device),
        .pBufferInfo = buffers,
        .pTexelBufferView = views,
    };
    device->vk.vkUpdateDescriptorSets(device->handle, 1, &write, 0, NULL);
    device->vk.vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE,
                                       pipeline_layout(device), 0, 1, &set, 0, NULL);
}

// An untouched binding still needs a buffer that is valid there: the first one written, which
// makes no hazard that the dispatch does not have anyway.
static enum vks_status bind_buffers(struct recording *recording, VkCommandBuffer commands,
                                    const struct dispatch *dispatch) {
    VkDescriptorSet set;
    TRY(allocate_set(recording, &set));
    const struct bind *spare = NULL;
    for (uint32_t i = 0; i < MAX_BINDINGS && !spare; i++)
        if (dispatch->binds[i].range.buffer && (dispatch->binds[i].access & ACCESS_WRITE))
            spare = &dispatch->binds[i];
    CHECK(spare);
    VkDescriptorBufferInfo infos[MAX_BINDINGS];
    for (uint32_t i = 0; i < MAX_BINDINGS; i++) {
        const struct bind *bind = dispatch->binds[i].range.buffer ? &dispatch->binds[i] : spare;
        infos[i] = (VkDescriptorBufferInfo){bind->range.buffer->handle, bind->range.offset,
                                            bind->range.bytes};
    }
    bind_set(recording, commands, set, infos, NULL);
    return VKS_OK;
}

static uint64_t texel_bytes(const struct bind *bind) {
    return bind->element == ELEMENT_F32 ? 4 * sizeof(float) : 4 * sizeof(uint16_t);
}

// A view of a range as texels of four elements, as long as the recording.
static enum vks_status view_texels(struct recording *recording, const struct bind *bind,
                                   VkBufferView *view) {
    const struct vk_range range = bind->range;
    struct vks_device *device = recording->device;
    if (recording->num_views == recording->views_capacity) {
        uint32_t capacity = recording->views_capacity ? 2 * recording->views_capacity : 256;
        VkBufferView *grown = memory_realloc(recording->views, capacity * sizeof *grown);
        if (!grown)
            return VKS_ERR_OOM;
        recording->views = grown;
        recording->views_capacity = capacity;
    }
    const VkBufferViewCreateInfo create = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
        .buffer = range.buffer->handle,
        .format = bind->element == ELEMENT_F32 ? VK_FORMAT_R32G32B32A32_SFLOAT
                                               : VK_FORMAT_R16G16B16A16_SFLOAT,
        .offset = range.offset,
        .range = range.bytes / texel_bytes(bind) * texel_bytes(bind),
    };
    TRY(device_check(device, device->vk.vkCreateBufferView(device->handle, &create, NULL, view),
                     "vkCreateBufferView"));
    recording->views[recording->num_views++] = *view;
    return VKS_OK;
}

// What is only read may be read as texels; bindings that are not get a view that nobody reads.
static enum vks_status bind_texels(struct recording *recording, VkCommandBuffer commands,
                                   const struct dispatch *dispatch) {
    VkBufferView views[MAX_BINDINGS] = {VK_NULL_HANDLE}, spare = VK_NULL_HANDLE;
    for (uint32_t i = 1; i < MAX_BINDINGS; i++) {
        const struct bind *bind = &dispatch->binds[i];
        if (!bind->range.buffer || bind->access != ACCESS_READ ||
            bind->range.bytes < texel_bytes(bind))
            continue;
        TRY(view_texels(recording, bind, &views[i]));
        spare = views[i];
    }
    if (spare == VK_NULL_HANDLE)
        return VKS_OK;
    for (uint32_t i = 0; i < MAX_BINDINGS; i++)
        views[i] = views[i] == VK_NULL_HANDLE ? spare : views[i];
    VkDescriptorSet set;
    TRY(allocate_set(recording, &set));
    bind_set(recording, commands, set, NULL, views);
    return VKS_OK;
}

// The same for descriptors and addresses, so that families differ in nothing else.
static void check_ranges(const struct vks_device *device, const struct bind *binds) {
    for (uint32_t i = 0; i < MAX_BINDINGS; i++)
        CHECK(!binds[i].range.buffer || (binds[i].range.bytes <= device->info.max_binding_bytes &&
                                         binds[i].range.offset % BUFFER_ALIGNMENT == 0));
}

// A profile's timestamp, when what was recorded last is done.
static void stamp(struct recording *recording, VkCommandBuffer commands) {
    if (!recording->queries || recording->num_profiled == MAX_PROFILED)
        return;
    barrier(recording);
    recording->device->vk.vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT,
                                              recording->queries, ++recording->num_profiled);
}

enum vks_status recording_dispatch(struct recording *recording, const struct dispatch *dispatch) {
    struct vks_device *device = recording->device;
    check_ranges(device, dispatch->binds);
    VkPipeline pipeline;
    VkCommandBuffer commands;
    TRY(pipeline_get(device, &dispatch->key, &pipeline));
    TRY(segment(recording, dispatch->flops, &commands));
    order(recording, dispatch->binds, MAX_BINDINGS);

    unsigned char push[PUSH_BYTES] = {0};
    uint32_t push_bytes = dispatch->push_bytes;
    CHECK(push_bytes <= PUSH_STRUCT_BYTES);
    memcpy(push, dispatch->push, push_bytes);
    if (device->family >= KERNELS_ADDRESS) {
        for (uint32_t i = 0; i < MAX_BINDINGS; i++) {
            struct vk_range range = dispatch->binds[i].range;
            VkDeviceAddress address = range.buffer ? range.buffer->address + range.offset : 0;
            memcpy(push + PUSH_STRUCT_BYTES + i * sizeof address, &address, sizeof address);
        }
        push_bytes = PUSH_BYTES;
    } else {
        TRY(bind_buffers(recording, commands, dispatch));
    }
    if (device->family == KERNELS_TEXEL)
        TRY(bind_texels(recording, commands, dispatch));
    device->vk.vkCmdPushConstants(commands, pipeline_layout(device), VK_SHADER_STAGE_COMPUTE_BIT, 0,
                                  push_bytes, push);
    device->vk.vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    device->vk.vkCmdDispatchIndirect(commands, dispatch->groups.buffer->handle,
                                     dispatch->groups.offset);
    stamp(recording, commands);
    recording->num_dispatches++;
    return VKS_OK;
}

enum vks_status recording_fill(struct recording *recording, struct vk_range range, uint32_t word) {
    VkCommandBuffer commands;
    TRY(segment(recording, 0, &commands));
    const struct bind bind = {.range = range, .access = ACCESS_WRITE};
    order(recording, &bind, 1);
    recording->device->vk.vkCmdFillBuffer(commands, range.buffer->handle, range.offset, range.bytes,
                                          word);
    return VKS_OK;
}

enum vks_status recording_copy(struct recording *recording, struct vk_range from,
                               struct vk_range to) {
    VkCommandBuffer commands;
    CHECK(from.bytes == to.bytes);
    TRY(segment(recording, 0, &commands));
    const struct bind binds[] = {{from, ACCESS_READ, 0}, {to, ACCESS_WRITE, 0}};
    order(recording, binds, 2);
    const VkBufferCopy copy = {from.offset, to.offset, to.bytes};
    recording->device->vk.vkCmdCopyBuffer(commands, from.buffer->handle, to.buffer->handle, 1,
                                          &copy);
    stamp(recording, commands);
    return VKS_OK;
}

enum vks_status recording_end(struct recording *recording) {
    VkCommandBuffer commands; // a recording of nothing is submitted and waited for as well
    TRY(segment(recording, 0, &commands));
    return close_segment(recording);
}

static enum vks_status submit_segments(struct recording *recording) {
    struct vks_device *device = recording->device;
    for (uint32_t i = 0; i < recording->num_segments; i++) {
        const VkSubmitInfo submit = {
            .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
            .commandBufferCount = 1,
            .pCommandBuffers = &recording->segments[i],
        };
        bool last = i + 1 == recording->num_segments;
        TRY(device_check(device,
                         device->vk.vkQueueSubmit(device->queue, 1, &submit,
                                                  last ? recording->fence : VK_NULL_HANDLE),
                         "vkQueueSubmit"));
    }
    return VKS_OK;
}

enum vks_status recording_submit(struct recording *recording) {
    struct vks_device *device = recording->device;
    CHECK(!recording->open && !recording->under_way);
    memset(recording->sentinels.mapped, 0, recording->num_segments * SENTINEL_BYTES);
    enum vks_status status = submit_segments(recording);
    if (status == VKS_OK)
        recording->under_way = true;
    else // segments before the one that failed may be at work
        device->vk.vkDeviceWaitIdle(device->handle);
    return status;
}

static enum vks_status check_sentinels(const struct recording *recording) {
    for (uint32_t i = 0; i < recording->num_segments; i++)
        TRY(sentinel_check(recording->device, (const uint32_t *)recording->sentinels.mapped + i));
    return VKS_OK;
}

enum vks_status recording_wait(struct recording *recording) {
    struct vks_device *device = recording->device;
    if (!recording->under_way)
        return VKS_OK;
    TRY(device_check(
        device,
        device->vk.vkWaitForFences(device->handle, 1, &recording->fence, VK_TRUE, UINT64_MAX),
        "vkWaitForFences"));
    recording->under_way = false;
    TRY(device_check(device, device->vk.vkResetFences(device->handle, 1, &recording->fence),
                     "vkResetFences"));
    return check_sentinels(recording);
}

void recording_destroy(struct recording **recording_ref) {
    struct recording *recording = *recording_ref;
    if (!recording)
        return;
    struct vks_device *device = recording->device;
    if (recording->under_way)
        device->vk.vkDeviceWaitIdle(device->handle);
    if (recording->num_segments)
        device->vk.vkFreeCommandBuffers(device->handle, device->command_pool,
                                        recording->num_segments, recording->segments);
    for (uint32_t i = 0; i < recording->num_pools; i++)
        device->vk.vkDestroyDescriptorPool(device->handle, recording->pools[i], NULL);
    for (uint32_t i = 0; i < recording->num_views; i++)
        device->vk.vkDestroyBufferView(device->handle, recording->views[i], NULL);
    device->vk.vkDestroyQueryPool(device->handle, recording->queries, NULL);
    device->vk.vkDestroyQueryPool(device->handle, recording->spans, NULL);
    device->vk.vkDestroyFence(device->handle, recording->fence, NULL);
    buffer_finish(device, &recording->sentinels);
    free(recording->pools);
    free(recording->views);
    free(recording);
    *recording_ref = NULL;
}

uint32_t recording_num_dispatches(const struct recording *recording) {
    return recording->num_dispatches;
}

uint32_t recording_num_barriers(const struct recording *recording) {
    return recording->num_barriers;
}

static uint64_t read_tick(struct recording *recording, VkQueryPool pool, uint32_t idx) {
    struct vks_device *device = recording->device;
    uint64_t tick = 0;
    device->vk.vkGetQueryPoolResults(device->handle, pool, idx, 1, sizeof tick, &tick, sizeof tick,
                                     VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
    return tick;
}

uint32_t recording_profile(struct recording *recording, uint32_t capacity, double *ns) {
    uint32_t num = min_u32(capacity, recording->num_profiled);
    uint64_t before = recording->queries ? read_tick(recording, recording->queries, 0) : 0;
    for (uint32_t i = 0; i < num; i++) {
        uint64_t tick = read_tick(recording, recording->queries, i + 1);
        ns[i] = (double)(tick - before) * (double)recording->device->timestamp_ns;
        before = tick;
    }
    return num;
}

double recording_busy_ns(struct recording *recording, uint64_t *end_tick) {
    uint64_t busy = 0;
    for (uint32_t i = 0; i < recording->num_segments && recording->spans; i++) {
        uint64_t begin = read_tick(recording, recording->spans, 2 * i);
        uint64_t end = read_tick(recording, recording->spans, 2 * i + 1);
        begin = begin > *end_tick ? begin : *end_tick;
        busy += end > begin ? end - begin : 0;
        *end_tick = end > *end_tick ? end : *end_tick;
    }
    return (double)busy * (double)recording->device->timestamp_ns;
}
