// The compiled shaders, embedded when vkseq is built (cmake/Shaders.cmake).
#ifndef VK_SHADERS_H
#define VK_SHADERS_H

#include "vk/vk_device.h"

struct shader {
    const char *name;
    struct {
        const unsigned char *begin, *end; // SPIR-V
    } code[NUM_KERNEL_FAMILIES];
};

extern const struct shader shader_table[];
extern const size_t num_shaders;

#endif
