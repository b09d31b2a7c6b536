// Files of what was worked out for one device with one driver (compiled pipelines, tiles), in the
// folder that VKSEQ_CACHE_DIR names. They only save time: what is damaged is told in a warning,
// worked out anew and replaced.
//
// The stamp (io/stamped.h): 32-bit little-endian vendor, device and driver version, and the
// driver's pipelineCacheUUID. The name has it, too, so that drivers leave each other's files alone.
#ifndef VK_DEVICE_FILE_H
#define VK_DEVICE_FILE_H

#include "vk/vk_device.h"

// The data of the device's file of a kind, such as "pipelines". False, and nothing allocated, when
// there is none that is right, or no folder. *bytes is allocated (free); *data is in it.
bool device_file_read(const struct vks_device *device, const char *kind, unsigned char **bytes,
                      const unsigned char **data, size_t *num_bytes);
// Replaces it; what goes wrong is only a warning. No effect without a folder.
void device_file_write(const struct vks_device *device, const char *kind, const void *data,
                       size_t num_bytes);

#endif
