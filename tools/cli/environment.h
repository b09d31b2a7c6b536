// The environment of Vulkan drivers, which has to be there before the first Vulkan call.
#ifndef CLI_ENVIRONMENT_H
#define CLI_ENVIRONMENT_H

#include <stdbool.h>

// For the software driver lavapipe, unless the user has set the variables:
//   LP_NATIVE_VECTOR_WIDTH   512 where the processor has AVX-512, or 256 for drivers that cannot
//                            have that; else left to the driver
//   MESA_SHADER_CACHE_DIR    a folder for each vector width, which Mesa's cache does not tell apart
//   VK_ADD_DRIVER_FILES      the lavapipe that tools/setup has unpacked, if it has
// arguments: of main, ends with NULL; borrowed.
void environment_prepare(char **arguments);

// Whether the vector width was not the user's choice.
bool environment_has_chosen_width(void);
// Starts the command anew with vectors of 256 bits, if a device of this machine can be used with
// these and not with the wider ones that were chosen. Returns if not, or if that cannot be done.
void environment_narrow_vectors(void);

#endif
