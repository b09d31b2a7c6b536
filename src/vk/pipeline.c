#include "vk/pipeline.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "vk/shaders.h"
#include "vk/spirv.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    struct pipeline_key key;
    VkPipeline pipeline;
};

struct pipeline_cache {
    VkDescriptorSetLayout set_layout;
    VkPipelineLayout layout;
    struct entry *entries;
    size_t num_entries, capacity;
};

VkPipelineLayout pipeline_layout(const struct vks_device *device) {
    return device->pipelines->layout;
}

VkDescriptorSetLayout pipeline_set_layout(const struct vks_device *device) {
    return device->pipelines->set_layout;
}

VkDescriptorType pipeline_descriptor_type(const struct vks_device *device) {
    return device->family == KERNELS_TEXEL ? VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER
                                           : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
}

enum vks_status pipeline_cache_create(struct vks_device *device, struct pipeline_cache **result) {
    struct pipeline_cache *cache = memory_calloc(1, sizeof *cache);
    if (!cache)
        return VKS_ERR_OOM;
    *result = cache;
    VkDescriptorSetLayoutBinding bindings[MAX_BINDINGS];
    for (uint32_t i = 0; i < MAX_BINDINGS; i++)
        bindings[i] = (VkDescriptorSetLayoutBinding){
            .binding = i,
            .descriptorType = pipeline_descriptor_type(device),
            .descriptorCount = 1,
            .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
        };
    const VkDescriptorSetLayoutCreateInfo set_info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = MAX_BINDINGS,
        .pBindings = bindings,
    };
    TRY(device_check(
        device,
        device->vk.vkCreateDescriptorSetLayout(device->handle, &set_info, NULL, &cache->set_layout),
        "vkCreateDescriptorSetLayout"));
    const VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0, PUSH_BYTES};
    const VkPipelineLayoutCreateInfo layout_info = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
        .setLayoutCount = device->family == KERNELS_ADDRESS ? 0u : 1u,
        .pSetLayouts = &cache->set_layout,
        .pushConstantRangeCount = 1,
        .pPushConstantRanges = &push,
    };
    return device_check(
        device,
        device->vk.vkCreatePipelineLayout(device->handle, &layout_info, NULL, &cache->layout),
        "vkCreatePipelineLayout");
}

void pipeline_cache_destroy(struct vks_device *device, struct pipeline_cache **cache_ref) {
    struct pipeline_cache *cache = *cache_ref;
    if (!cache)
        return;
    for (size_t i = 0; i < cache->num_entries; i++)
        device->vk.vkDestroyPipeline(device->handle, cache->entries[i].pipeline, NULL);
    device->vk.vkDestroyPipelineLayout(device->handle, cache->layout, NULL);
    device->vk.vkDestroyDescriptorSetLayout(device->handle, cache->set_layout, NULL);
    free(cache->entries);
    free(cache);
    *cache_ref = NULL;
}

static const struct shader *find_shader(const char *name) {
    for (size_t i = 0; i < num_shaders; i++)
        if (strcmp(shader_table[i].name, name) == 0)
            return &shader_table[i];
    return NULL;
}

static bool same_key(const struct pipeline_key *a, const struct pipeline_key *b) {
    return a->num_spec == b->num_spec &&
           memcmp(a->spec, b->spec, a->num_spec * sizeof a->spec[0]) == 0 &&
           strcmp(a->shader, b->shader) == 0;
}

// Whether the shader's workgroup is one that the device can run.
static enum vks_status check_workgroup(const struct vks_device *device, const char *name,
                                       const struct spirv *module) {
    const struct vks_device_info *info = &device->info;
    uint64_t shared_bytes;
    TRY(spirv_shared_bytes(module, &shared_bytes));
    if (shared_bytes <= info->shared_memory_bytes && device->wave <= info->max_invocations)
        return VKS_OK;
    log_error(device->log,
              "the kernel %s needs workgroups of %u invocations and %llu bytes of shared memory; "
              "%s has %u and %u",
              name, device->wave, (unsigned long long)shared_bytes, info->name,
              info->max_invocations, info->shared_memory_bytes);
    return VKS_ERR_UNSUPPORTED;
}

static enum vks_status build(struct vks_device *device, const struct shader *shader,
                             const struct pipeline_key *key, VkPipeline *pipeline) {
    const unsigned char *code = shader->code[device->family].begin;
    const VkShaderModuleCreateInfo module_info = {
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
        .codeSize = (size_t)(shader->code[device->family].end - code),
        .pCode = (const uint32_t *)(const void *)code,
    };
    uint32_t values[MAX_SPEC + 1] = {device->wave};
    VkSpecializationMapEntry map[MAX_SPEC + 1];
    memcpy(values + 1, key->spec, key->num_spec * sizeof values[0]);
    const struct spirv spirv = {module_info.pCode, module_info.codeSize / sizeof(uint32_t), values,
                                key->num_spec + 1};
    TRY(check_workgroup(device, key->shader, &spirv));
    VkShaderModule module;
    TRY(device_check(device,
                     device->vk.vkCreateShaderModule(device->handle, &module_info, NULL, &module),
                     "vkCreateShaderModule"));
    for (uint32_t i = 0; i <= key->num_spec; i++)
        map[i] = (VkSpecializationMapEntry){i, i * (uint32_t)sizeof values[0], sizeof values[0]};
    const VkSpecializationInfo spec = {key->num_spec + 1, map, sizeof values, values};
    const VkPipelineShaderStageRequiredSubgroupSizeCreateInfo size = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO,
        .requiredSubgroupSize = device->wave,
    };
    const VkComputePipelineCreateInfo create = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .pNext = device->pin_subgroup_size ? &size : NULL,
                  .flags = device->pin_subgroup_size
                               ? VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT
                               : 0u,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module,
                  .pName = "main",
                  .pSpecializationInfo = &spec},
        .layout = device->pipelines->layout,
    };
    enum vks_status status =
        device_check(device,
                     device->vk.vkCreateComputePipelines(device->handle, VK_NULL_HANDLE, 1, &create,
                                                         NULL, pipeline),
                     key->shader);
    device->vk.vkDestroyShaderModule(device->handle, module, NULL);
    return status;
}

enum vks_status pipeline_get(struct vks_device *device, const struct pipeline_key *key,
                             VkPipeline *pipeline) {
    struct pipeline_cache *cache = device->pipelines;
    for (size_t i = 0; i < cache->num_entries; i++) {
        if (same_key(&cache->entries[i].key, key)) {
            *pipeline = cache->entries[i].pipeline;
            return VKS_OK;
        }
    }
    const struct shader *shader = find_shader(key->shader);
    CHECK(shader && key->num_spec <= MAX_SPEC);
    if (cache->num_entries == cache->capacity) {
        size_t capacity = cache->capacity ? 2 * cache->capacity : 64;
        struct entry *grown = memory_realloc(cache->entries, capacity * sizeof *grown);
        if (!grown)
            return VKS_ERR_OOM;
        cache->entries = grown;
        cache->capacity = capacity;
    }
    struct entry *entry = &cache->entries[cache->num_entries];
    *entry = (struct entry){.key = *key};
    entry->key.shader = shader->name;
    TRY(build(device, shader, key, &entry->pipeline));
    cache->num_entries++;
    *pipeline = entry->pipeline;
    return VKS_OK;
}
