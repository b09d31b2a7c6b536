// The environment of Vulkan drivers, which has to be there before the first Vulkan call.
#ifndef CLI_ENVIRONMENT_H
#define CLI_ENVIRONMENT_H

// For the software driver lavapipe, unless the user has set the variables:
//   LP_NATIVE_VECTOR_WIDTH   512 where the processor has AVX-512, else left to the driver
//   MESA_SHADER_CACHE_DIR    a folder for each vector width, which Mesa's cache does not tell apart
//   VK_ADD_DRIVER_FILES      the lavapipe that tools/setup has unpacked, if it has
void environment_prepare(void);

#endif
