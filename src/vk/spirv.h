// What a compiled shader says about itself.
#ifndef VK_SPIRV_H
#define VK_SPIRV_H

#include "vkseq/base.h"

struct spirv {
    const uint32_t *words; // a module, borrowed
    size_t num_words;
    const uint32_t *spec; // values of specialisation constants 0 .. num_spec
    uint32_t num_spec;
};

// Bytes of shared memory that a workgroup takes.
// Errors: VKS_ERR_OOM.
enum vks_status spirv_shared_bytes(const struct spirv *module, uint64_t *bytes);

#endif
