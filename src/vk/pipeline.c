#include "vk/pipeline.h"

#include "base/check.h"
#include "base/inject.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/platform.h"
#include "base/thread.h"
#include "io/hash64.h"
#include "vk/device_file.h"
#include "vk/shaders.h"
#include "vk/spirv.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 16 };

static const char file_kind[] = "pipelines";

struct entry {
    struct pipeline_key key;
    const struct shader *shader;
    VkPipeline pipeline; // VK_NULL_HANDLE: only wanted so far
    VkResult result;     // of making it
};

struct pipeline_cache {
    VkDescriptorSetLayout set_layout;
    VkPipelineLayout layout;
    VkPipelineCache compiled; // VK_NULL_HANDLE: the driver gives none
    uint64_t file_hash;       // of the data in the file
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

// What earlier processes have compiled. A pipeline can be made without it, so nothing here fails.
static void load_compiled(struct vks_device *device, struct pipeline_cache *cache) {
    unsigned char *bytes = NULL;
    const unsigned char *data = NULL;
    size_t num_bytes = 0;
    if (device_file_read(device, file_kind, &bytes, &data, &num_bytes))
        cache->file_hash = hash64_of(data, num_bytes);
    const VkPipelineCacheCreateInfo create = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
        .initialDataSize = num_bytes,
        .pInitialData = data,
    };
    if (device->vk.vkCreatePipelineCache(device->handle, &create, NULL, &cache->compiled) !=
        VK_SUCCESS)
        cache->compiled = VK_NULL_HANDLE;
    free(bytes);
}

// Writes what is compiled, unless the file has it.
static void save_compiled(struct vks_device *device, const struct pipeline_cache *cache) {
    size_t num_bytes = 0;
    if (!cache->compiled || cache->num_entries == 0 ||
        device->vk.vkGetPipelineCacheData(device->handle, cache->compiled, &num_bytes, NULL) !=
            VK_SUCCESS)
        return;
    unsigned char *data = memory_malloc(num_bytes + 1);
    if (data &&
        device->vk.vkGetPipelineCacheData(device->handle, cache->compiled, &num_bytes, data) ==
            VK_SUCCESS &&
        hash64_of(data, num_bytes) != cache->file_hash)
        device_file_write(device, file_kind, data, num_bytes);
    free(data);
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
    if (platform_env("VKSEQ_CACHE_DIR"))
        load_compiled(device, cache);
    return device_check(
        device,
        device->vk.vkCreatePipelineLayout(device->handle, &layout_info, NULL, &cache->layout),
        "vkCreatePipelineLayout");
}

void pipeline_cache_destroy(struct vks_device *device, struct pipeline_cache **cache_ref) {
    struct pipeline_cache *cache = *cache_ref;
    if (!cache)
        return;
    save_compiled(device, cache);
    device->vk.vkDestroyPipelineCache(device->handle, cache->compiled, NULL);
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
    return a->num_spec == b->num_spec && a->lanes == b->lanes && a->elements == b->elements &&
           memcmp(a->spec, b->spec, a->num_spec * sizeof a->spec[0]) == 0 &&
           strcmp(a->shader, b->shader) == 0;
}

static uint32_t num_lanes(const struct vks_device *device, const struct pipeline_key *key) {
    return key->lanes ? key->lanes : device->wave;
}

// Whether the shader's workgroup is one that the device can run.
static enum vks_status check_workgroup(const struct vks_device *device,
                                       const struct pipeline_key *key, const struct spirv *module) {
    const struct vks_device_info *info = &device->info;
    uint64_t shared_bytes;
    TRY(spirv_shared_bytes(module, &shared_bytes));
    if (shared_bytes <= info->shared_memory_bytes &&
        num_lanes(device, key) <= info->max_invocations)
        return VKS_OK;
    log_error(device->log,
              "the kernel %s needs workgroups of %u invocations and %llu bytes of shared memory; "
              "%s has %u and %u",
              key->shader, num_lanes(device, key), (unsigned long long)shared_bytes, info->name,
              info->max_invocations, info->shared_memory_bytes);
    return VKS_ERR_UNSUPPORTED;
}

static size_t code_bytes(const struct vks_device *device, const struct shader *shader) {
    return (size_t)(shader->code[device->family].end - shader->code[device->family].begin);
}

// The values of an entry's specialisation constants, apart from SPEC_ELEMENTS.
static uint32_t spec_values(const struct vks_device *device, const struct pipeline_key *key,
                            uint32_t values[MAX_SPEC + 1]) {
    values[0] = num_lanes(device, key);
    memcpy(values + 1, key->spec, key->num_spec * sizeof values[0]);
    return key->num_spec + 1;
}

static enum vks_status check_entry(const struct vks_device *device, const struct entry *entry) {
    uint32_t values[MAX_SPEC + 1];
    const struct spirv spirv = {
        (const uint32_t *)(const void *)entry->shader->code[device->family].begin,
        code_bytes(device, entry->shader) / sizeof(uint32_t), values,
        spec_values(device, &entry->key, values)};
    return check_workgroup(device, &entry->key, &spirv);
}

// In any thread: nothing is logged.
static VkResult make(const struct vks_device *device, const struct entry *entry,
                     VkPipeline *pipeline) {
    const VkShaderModuleCreateInfo module_info = {
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
        .codeSize = code_bytes(device, entry->shader),
        .pCode = (const uint32_t *)(const void *)entry->shader->code[device->family].begin,
    };
    uint32_t values[MAX_SPEC + 2], num = spec_values(device, &entry->key, values);
    VkSpecializationMapEntry map[MAX_SPEC + 2];
    VkShaderModule module;
    VkResult result = device->vk.vkCreateShaderModule(device->handle, &module_info, NULL, &module);
    if (result != VK_SUCCESS)
        return result;
    for (uint32_t i = 0; i < num; i++)
        map[i] = (VkSpecializationMapEntry){i, i * (uint32_t)sizeof values[0], sizeof values[0]};
    values[num] = entry->key.elements;
    map[num] = (VkSpecializationMapEntry){SPEC_ELEMENTS, num * (uint32_t)sizeof values[0],
                                          sizeof values[0]};
    const VkSpecializationInfo spec = {num + 1, map, sizeof values, values};
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
    result = device->vk.vkCreateComputePipelines(device->handle, device->pipelines->compiled, 1,
                                                 &create, NULL, pipeline);
    device->vk.vkDestroyShaderModule(device->handle, module, NULL);
    return result;
}

static struct entry *find_entry(const struct pipeline_cache *cache,
                                const struct pipeline_key *key) {
    for (size_t i = 0; i < cache->num_entries; i++)
        if (same_key(&cache->entries[i].key, key))
            return &cache->entries[i];
    return NULL;
}

enum vks_status pipeline_want(struct vks_device *device, const struct pipeline_key *key) {
    struct pipeline_cache *cache = device->pipelines;
    if (find_entry(cache, key))
        return VKS_OK;
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
    struct entry *entry = &cache->entries[cache->num_entries++];
    *entry = (struct entry){.key = *key, .shader = shader};
    entry->key.shader = shader->name;
    return VKS_OK;
}

// A thread's part of the entries: every step-th one.
struct share {
    const struct vks_device *device;
    struct thread thread;
    size_t first, step;
};

static void *make_share(void *user) {
    const struct share *share = user;
    struct pipeline_cache *cache = share->device->pipelines;
    for (size_t i = share->first; i < cache->num_entries; i += share->step) {
        struct entry *entry = &cache->entries[i];
        if (!entry->pipeline)
            entry->result = make(share->device, entry, &entry->pipeline);
    }
    return NULL;
}

// Faults that are injected come in an order, which threads would not keep.
static void make_all(const struct vks_device *device, size_t num_wanted) {
    struct share shares[MAX_THREADS];
    size_t num = inject_is_on() ? 1 : platform_num_processors();
    num = num < num_wanted ? num : num_wanted;
    num = num < MAX_THREADS ? num : MAX_THREADS;
    size_t num_started = 0;
    for (size_t i = 0; i < num; i++)
        shares[i] = (struct share){.device = device, .first = i, .step = num};
    while (num_started + 1 < num &&
           thread_start(&shares[num_started].thread, make_share, &shares[num_started]))
        num_started++;
    for (size_t i = num_started; i < num; i++)
        make_share(&shares[i]);
    while (num_started > 0)
        thread_join(&shares[--num_started].thread);
}

// Forgets entries without a pipeline.
static void drop_wanted(struct pipeline_cache *cache) {
    size_t num = 0;
    for (size_t i = 0; i < cache->num_entries; i++)
        if (cache->entries[i].pipeline)
            cache->entries[num++] = cache->entries[i];
    cache->num_entries = num;
}

enum vks_status pipeline_make_wanted(struct vks_device *device) {
    struct pipeline_cache *cache = device->pipelines;
    enum vks_status status = VKS_OK;
    size_t num_wanted = 0;
    for (size_t i = 0; i < cache->num_entries && status == VKS_OK; i++) {
        if (cache->entries[i].pipeline)
            continue;
        status = check_entry(device, &cache->entries[i]);
        num_wanted++;
    }
    if (status == VKS_OK && num_wanted > 0)
        make_all(device, num_wanted);
    for (size_t i = 0; i < cache->num_entries && status == VKS_OK; i++)
        status = device_check(device, cache->entries[i].result, cache->entries[i].key.shader);
    drop_wanted(cache);
    return status;
}

enum vks_status pipeline_get(struct vks_device *device, const struct pipeline_key *key,
                             VkPipeline *pipeline) {
    struct entry *entry = find_entry(device->pipelines, key);
    if (!entry) {
        TRY(pipeline_want(device, key));
        TRY(pipeline_make_wanted(device));
        entry = find_entry(device->pipelines, key);
    }
    *pipeline = entry->pipeline;
    return VKS_OK;
}
