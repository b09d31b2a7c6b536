// Compute pipelines, made when first asked for and kept as long as the device; what the driver has
// compiled for them is kept in a file (vk/device_file.h) for the next time.
#ifndef VK_PIPELINE_H
#define VK_PIPELINE_H

#include "lib/shared.h"
#include "vk/vk_device.h"

struct pipeline_cache;

// A shader with its specialisation constants from constant 1 on; constant 0 is the number of
// invocations a workgroup.
struct pipeline_key {
    const char *shader;
    uint32_t spec[MAX_SPEC];
    uint32_t num_spec;
    uint32_t lanes;    // invocations; 0: a wave
    uint32_t elements; // of what is bound, by SPEC_ELEMENTS
};

enum vks_status pipeline_cache_create(struct vks_device *device, struct pipeline_cache **cache);
void pipeline_cache_destroy(struct vks_device *device, struct pipeline_cache **cache);

// Makes a note of a key that will be asked for, unless its pipeline is there.
// Errors: VKS_ERR_OOM.
enum vks_status pipeline_want(struct vks_device *device, const struct pipeline_key *key);
// Makes the pipelines of all notes, with all processors. Errors: as pipeline_get; the notes whose
// pipelines could not be made are forgotten.
enum vks_status pipeline_make_wanted(struct vks_device *device);

// The pipeline of a key, made if need be.
// Errors: VKS_ERR_OOM, VKS_ERR_DEVICE_OOM, VKS_ERR_UNSUPPORTED (the driver refuses the shader, or
// its workgroup takes more invocations or shared memory than the device has).
enum vks_status pipeline_get(struct vks_device *device, const struct pipeline_key *key,
                             VkPipeline *pipeline);

// What all pipelines share: MAX_BINDINGS descriptors (none with addresses) and push constants.
VkDescriptorType pipeline_descriptor_type(const struct vks_device *device);
VkPipelineLayout pipeline_layout(const struct vks_device *device);
VkDescriptorSetLayout pipeline_set_layout(const struct vks_device *device);

#endif
