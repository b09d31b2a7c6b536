#include "vk/spirv.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>

// Numbers of the SPIR-V specification, sections 3.7, 3.20 and 3.49.
enum {
    MODULE_HEADER_WORDS = 5,
    BOUND_WORD = 3,
    STORAGE_WORKGROUP = 4,
    DECORATION_SPEC_ID = 1,
    OP_TYPE_INT = 21,
    OP_TYPE_FLOAT = 22,
    OP_TYPE_VECTOR = 23,
    OP_TYPE_ARRAY = 28,
    OP_TYPE_POINTER = 32,
    OP_CONSTANT = 43,
    OP_SPEC_CONSTANT = 50,
    OP_SPEC_CONSTANT_OP = 52,
    OP_VARIABLE = 59,
    OP_DECORATE = 71,
    OP_IADD = 128,
    OP_ISUB = 130,
    OP_IMUL = 132,
    OP_UDIV = 134
};

// What is known of an id: the bytes of a type (of a pointer: of what it points to), or the value
// of a constant; and which specialisation constant it is, plus one.
struct id {
    uint64_t value;
    uint32_t spec;
};

static uint64_t calculate(uint32_t op, uint64_t a, uint64_t b) {
    switch (op) {
    case OP_IADD:
        return a + b;
    case OP_ISUB:
        return a - b;
    case OP_IMUL:
        return a * b;
    case OP_UDIV:
        return b ? a / b : 0;
    default:
        return 0;
    }
}

// Takes in one instruction; returns the bytes of the shared variable that it declares, if any.
static uint64_t read_instruction(const struct spirv *module, struct id *ids, const uint32_t *w) {
    switch (w[0] & 0xffff) {
    case OP_DECORATE:
        if (w[2] == DECORATION_SPEC_ID)
            ids[w[1]].spec = w[3] + 1;
        break;
    case OP_TYPE_INT:
    case OP_TYPE_FLOAT:
        ids[w[1]].value = w[2] / 8;
        break;
    case OP_TYPE_VECTOR:
        ids[w[1]].value = ids[w[2]].value * w[3];
        break;
    case OP_TYPE_ARRAY:
        ids[w[1]].value = ids[w[2]].value * ids[w[3]].value;
        break;
    case OP_TYPE_POINTER:
        ids[w[1]].value = ids[w[3]].value;
        break;
    case OP_CONSTANT:
        ids[w[2]].value = w[3];
        break;
    case OP_SPEC_CONSTANT: {
        uint32_t spec = ids[w[2]].spec;
        ids[w[2]].value = spec && spec <= module->num_spec ? module->spec[spec - 1] : w[3];
        break;
    }
    case OP_SPEC_CONSTANT_OP:
        if (w[0] >> 16 == 6)
            ids[w[2]].value = calculate(w[3], ids[w[4]].value, ids[w[5]].value);
        break;
    case OP_VARIABLE:
        return w[3] == STORAGE_WORKGROUP ? ids[w[1]].value : 0;
    default:
        break;
    }
    return 0;
}

enum vks_status spirv_shared_bytes(const struct spirv *module, uint64_t *bytes) {
    struct id *ids = memory_calloc(module->words[BOUND_WORD], sizeof *ids);
    if (!ids)
        return VKS_ERR_OOM;
    uint64_t sum = 0;
    for (size_t at = MODULE_HEADER_WORDS; at < module->num_words;) {
        uint32_t num_words = module->words[at] >> 16;
        CHECK(num_words > 0 && num_words <= module->num_words - at);
        sum += read_instruction(module, ids, module->words + at);
        at += num_words;
    }
    free(ids);
    *bytes = sum;
    return VKS_OK;
}
