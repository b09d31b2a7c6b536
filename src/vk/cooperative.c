#include "vk/cooperative.h"

#include "base/check.h"

// Numbers of the extensions' specifications.
enum {
    FEATURES_TYPE = 1000506000,
    PROPERTIES_TYPE = 1000506001,
    BFLOAT16_FEATURES_TYPE = 1000141000,
    COMPONENT_FLOAT16 = 0,
    COMPONENT_FLOAT32 = 1,
    COMPONENT_BFLOAT16 = 1000141000,
    SCOPE_SUBGROUP = 3
};

struct properties {
    VkStructureType type;
    void *next;
    uint32_t rows, cols, depth;
    uint32_t a, b, c, result; // types of components
    VkBool32 saturates;
    uint32_t scope;
};

typedef VkResult(VKAPI_PTR *get_properties_fn)(VkPhysicalDevice device, uint32_t *num,
                                               struct properties *properties);

enum { MAX_SHAPES = 256, MAX_SIDE = 16 };

const char cooperative_extension[] = "VK_KHR_cooperative_matrix";
const char bfloat16_extension[] = "VK_KHR_shader_bfloat16";

struct cooperative_features cooperative_features_needed(void *next) {
    return (struct cooperative_features){(VkStructureType)FEATURES_TYPE, next, VK_TRUE, VK_FALSE};
}

struct bfloat16_features bfloat16_features_needed(void *next) {
    return (struct bfloat16_features){
        .type = (VkStructureType)BFLOAT16_FEATURES_TYPE,
        .next = next,
        .has_type = VK_TRUE,
        .has_matrices = VK_TRUE,
    };
}

bool cooperative_has_bfloat16(VkPhysicalDevice device) {
    struct bfloat16_features bfloat16 = {.type = (VkStructureType)BFLOAT16_FEATURES_TYPE};
    VkPhysicalDeviceFeatures2 all = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                     .pNext = &bfloat16};
    vkGetPhysicalDeviceFeatures2(device, &all);
    return bfloat16.has_type && bfloat16.has_matrices;
}

static bool is_side(uint32_t num) {
    return num >= 4 && num <= MAX_SIDE && (num & (num - 1)) == 0;
}

// Kernels work in blocks of 32 columns of K and 16 rows or columns of C.
static bool fits(const struct properties *p, uint32_t operands) {
    return p->a == operands && p->b == operands && p->c == COMPONENT_FLOAT32 &&
           p->result == COMPONENT_FLOAT32 && !p->saturates && p->scope == SCOPE_SUBGROUP &&
           is_side(p->rows) && is_side(p->cols) && is_side(p->depth);
}

struct mma_shape cooperative_shape(VkPhysicalDevice device, uint32_t element) {
    const uint32_t operands = element == ELEMENT_BF16 ? COMPONENT_BFLOAT16 : COMPONENT_FLOAT16;
    const get_properties_fn get = (get_properties_fn)vkGetInstanceProcAddr(
        volkGetLoadedInstance(), "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR");
    struct properties list[MAX_SHAPES];
    struct mma_shape best = {0};
    uint32_t num = COUNT_OF(list);
    for (uint32_t i = 0; i < num; i++)
        list[i] = (struct properties){.type = (VkStructureType)PROPERTIES_TYPE};
    if (!get || get(device, &num, list) < 0)
        return best;
    // The largest product: the least that goes to and from shared memory.
    for (uint32_t i = 0; i < num; i++)
        if (fits(&list[i], operands) &&
            list[i].rows * list[i].cols * list[i].depth > best.rows * best.cols * best.depth)
            best = (struct mma_shape){list[i].rows, list[i].cols, list[i].depth};
    return best;
}
