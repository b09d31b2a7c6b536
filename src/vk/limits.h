// Limits that a profile lowers, so that one device can stand in for a lesser one.
#ifndef VK_LIMITS_H
#define VK_LIMITS_H

#include "vkseq/device.h"

enum { LIMIT_MEMORY, LIMIT_API, NUM_NAMED_LIMITS, MAX_LIMITS = 32 };

// What a device may have at most, by limits.c's table of keys; UINT64_MAX: whatever it has.
struct limits {
    uint64_t most[MAX_LIMITS];
};

// Reads the profile that VKSEQ_LIMITS in the environment names; without one, nothing is lowered.
// A profile is a JSON object of fields of struct vks_device_info, and "api": "MAJOR.MINOR";
// keys that begin with '_' are comments.
// Errors: VKS_ERR_IO, VKS_ERR_FORMAT (unknown, repeated and malformed keys), VKS_ERR_OOM.
enum vks_status limits_read(const struct vks_log *log, struct limits *limits);

// Lowers what is above the limits, and takes away what an older Vulkan does not have. Nothing is
// ever raised.
void limits_apply(const struct limits *limits, struct vks_device_info *info);

#endif
