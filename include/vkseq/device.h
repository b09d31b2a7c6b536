// Vulkan devices: what there is, what it can do, and opening one.
#ifndef VKSEQ_DEVICE_H
#define VKSEQ_DEVICE_H

#include "vkseq/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum vks_device_type {
    VKS_DEVICE_DISCRETE,
    VKS_DEVICE_INTEGRATED,
    VKS_DEVICE_VIRTUAL,
    VKS_DEVICE_CPU,
    VKS_DEVICE_OTHER
};

// Text for people: "discrete", "integrated", "virtual", "cpu", "other".
VKS_API const char *vks_device_type_name(enum vks_device_type type);

struct vks_device_info {
    uint32_t index; // what -d takes
    char name[256];
    char driver[512]; // name and version text, as the driver gives them
    uint32_t api_major, api_minor, api_patch;
    uint32_t vendor_id, device_id, driver_version;
    enum vks_device_type type;
    uint64_t memory_bytes;         // sum of the device-local heaps
    uint64_t max_binding_bytes;    // a kernel's view of a buffer: maxStorageBufferRange
    uint64_t max_allocation_bytes; // one buffer: maxMemoryAllocationSize
    uint32_t subgroup_size, min_subgroup_size, max_subgroup_size; // min and max 0: not told
    uint32_t max_invocations, shared_memory_bytes;                // a workgroup's
    uint32_t max_storage_buffers, push_constant_bytes;            // a kernel's
    bool float16, storage16, bfloat16, int64, integer_dot, cooperative_matrix, buffer_address;
    bool texel_reads;           // a kernel reads floats best as texels: software drivers
    bool subgroup_operations;   // arithmetic and ballot in compute kernels
    bool subgroup_size_fixed;   // all kernels have the same
    bool subgroup_size_control; // or they can ask for one
    bool timestamps;
    char kernels[64];   // the kernel family vkseq would use, "" if none
    char unusable[256]; // why vkseq cannot use it, "" if it can
};

// Every Vulkan device of the machine, its limits lowered by the profile that VKSEQ_LIMITS in the
// environment names, if any. *infos is allocated; free with vks_free.
// Errors: VKS_ERR_IO and VKS_ERR_FORMAT for the profile, VKS_ERR_NO_DEVICE when there is no Vulkan
// loader, no driver or no device (the log says what to install), VKS_ERR_OOM.
VKS_API VKS_MUST_CHECK enum vks_status
vks_devices_list(const struct vks_log *log, struct vks_device_info **infos, size_t *num_infos);

struct vks_device;

// Opens a device. selector: an index of vks_devices_list, or part of a name (case is ignored), or
// NULL for the environment's VKSEQ_DEVICE and, without one, the best: discrete before integrated
// before virtual before CPU, then the newer driver. log: borrowed while the device lives.
// What the driver compiles for it is kept for the next time in the folder that VKSEQ_CACHE_DIR in
// the environment names, if any; that never fails, but may be told in a warning.
// Errors: VKS_ERR_NO_DEVICE (none, none that fits, or the one asked for cannot be used),
// VKS_ERR_OOM, VKS_ERR_DEVICE_OOM; for VKSEQ_LIMITS as above.
VKS_API VKS_MUST_CHECK enum vks_status
vks_device_create(const char *selector, const struct vks_log *log, struct vks_device **device);
// Borrowed while the device lives.
VKS_API const struct vks_device_info *vks_device_info(const struct vks_device *device);
// Bytes of device memory that this device object has allocated now, and at most so far.
VKS_API void vks_device_memory(const struct vks_device *device, uint64_t *now_bytes,
                               uint64_t *peak_bytes);
VKS_API void vks_device_destroy(struct vks_device **device);

#ifdef __cplusplus
}
#endif
#endif
