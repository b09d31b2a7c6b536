// volk's implementation, compiled once: loads the Vulkan loader at run time, nothing is linked.
#define VK_NO_PROTOTYPES
#include <volk.c>
