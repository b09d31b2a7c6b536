// Pickles: whatever they say, each tensor that comes out lies within its storage and has a name of
// its own.
#include "fuzz.h"

#include "io/pickle.h"

static void check_inside(const struct pickle_tensor *tensor) {
    uint64_t last = tensor->offset;
    bool is_empty = false;
    CHECK(tensor->num_dims <= SAFETENSORS_MAX_DIMS && tensor->name && tensor->storage);
    for (uint32_t i = 0; i < tensor->num_dims; i++)
        is_empty |= tensor->dims[i] == 0;
    for (uint32_t i = 0; i < tensor->num_dims && !is_empty; i++)
        CHECK(!__builtin_mul_overflow(tensor->dims[i] - 1, tensor->strides[i], &(uint64_t){0}) &&
              !__builtin_add_overflow(last, (tensor->dims[i] - 1) * tensor->strides[i], &last));
    CHECK(is_empty || last < tensor->storage_elements);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    size_t num_messages;
    struct vks_log log = fuzz_log(&num_messages);
    struct arena arena = {0};
    struct pickle_tensors tensors = {0};
    char *bytes = fuzz_text(data, num_bytes);
    enum vks_status status = pickle_read_tensors(bytes, num_bytes, "input", &log, &arena, &tensors);
    fuzz_is_ok(status, num_messages);
    for (size_t i = 0; i < tensors.num; i++) {
        check_inside(&tensors.items[i]);
        for (size_t j = 0; j < i && i < 64; j++)
            CHECK(strcmp(tensors.items[i].name, tensors.items[j].name) != 0);
    }
    arena_finish(&arena);
    free(bytes);
    return 0;
}
