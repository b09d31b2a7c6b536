// A directory of any files, and each of these by itself: what they are is told without an error,
// in texts that can be printed. An input is one file after the other: a byte for its name, two for
// its size, and its bytes.
#include "fuzz.h"

#include "io/file_system.h"
#include "vk/buffer.h"
#include "vkseq/convert.h"

#include <math.h>
#include <stdio.h>

static const char folder[] = "model";
// As in make_corpus.py.
static const char *const names[] = {
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "pytorch_model.bin",
    "a.safetensors",
    "model.safetensors.index.json",
    "vocab.json",
    "target_vocab.json",
    "source.spm",
    "target.spm",
    "sentencepiece.bpe.model",
    "spiece.model",
    "tokenizer.json",
    "tokenizer_config.json",
    "added_tokens.json",
    "model.npz",
    "model.bin",
    "decoder.yml",
    "vocab.yml",
    "vocab.spm",
};

// Weights are laid out without a device: there is no memory of one.
uint64_t buffer_max_bytes(const struct vks_device *device) {
    CHECK(!device);
    return 0;
}
enum vks_status buffer_init(struct vks_device *device, enum buffer_kind kind, uint64_t bytes,
                            struct vk_buffer *buffer) {
    (void)device, (void)kind, (void)bytes, (void)buffer;
    abort();
}
void buffer_finish(struct vks_device *device, struct vk_buffer *buffer) {
    (void)device, (void)buffer;
    abort();
}
enum vks_status buffer_copy(struct vks_device *device, struct vk_range from, struct vk_range to) {
    (void)device, (void)from, (void)to;
    abort();
}
enum vks_status buffer_write(struct vks_device *device, struct vk_range range, const void *data) {
    (void)device, (void)range, (void)data;
    abort();
}
enum vks_status buffer_read(struct vks_device *device, struct vk_range range, void *data) {
    (void)device, (void)range, (void)data;
    abort();
}
enum vks_status buffer_fill(struct vks_device *device, struct vk_range range, uint32_t word) {
    (void)device, (void)range, (void)word;
    abort();
}

static void check_text(const char *text) {
    CHECK(text && vks_utf8_is_valid(text, strlen(text)));
}

static void check_facts(const struct vks_inspection *inspection) {
    size_t num = vks_inspection_num_facts(inspection);
    CHECK(num > 0);
    for (size_t i = 0; i < num; i++) {
        const struct vks_fact *fact = vks_inspection_fact(inspection, i);
        char *end = NULL;
        check_text(fact->value);
        CHECK(fact->key[0] && (!fact->is_number || (isfinite(strtod(fact->value, &end)) && !*end)));
        for (size_t j = 0; j < i; j++)
            CHECK(strcmp(vks_inspection_fact(inspection, j)->key, fact->key) != 0);
    }
}

static void check_inspection(const char *path) {
    size_t num_messages;
    struct vks_log log = fuzz_log(&num_messages);
    struct vks_inspection *inspection;
    CHECK(fuzz_is_ok(vks_inspect(path, &log, &inspection), num_messages));
    check_facts(inspection);
    for (size_t i = 0; i < vks_inspection_num_tensors(inspection); i++) {
        const struct vks_inspected_tensor *tensor = vks_inspection_tensor(inspection, i);
        check_text(tensor->name);
        CHECK(tensor->type[0] && (tensor->num_dims == 0 || tensor->dims));
    }
    for (size_t i = 0; i < vks_inspection_num_problems(inspection); i++) {
        check_text(vks_inspection_problem(inspection, i));
        CHECK(vks_inspection_problem(inspection, i)[0]);
    }
    vks_inspection_destroy(&inspection);
}

static void join(const char *name, char path[64]) {
    snprintf(path, 64, "%s/%s", folder, name);
}

// Files that are named twice are what they are the second time.
static void write_files(const uint8_t *data, size_t num_bytes) {
    size_t at = 0;
    while (num_bytes - at >= 3) {
        char path[64];
        size_t size = data[at + 1] | (size_t)data[at + 2] << 8, left = num_bytes - at - 3;
        size = size < left ? size : left;
        join(names[data[at] % COUNT_OF(names)], path);
        FILE *file = fopen(path, "wb");
        CHECK(file && fwrite(data + at + 3, 1, size, file) == size && fclose(file) == 0);
        at += 3 + size;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    CHECK(fs_make_folder(folder));
    write_files(data, num_bytes);
    check_inspection(folder);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char path[64];
        struct fs_info info;
        join(names[i], path);
        if (fs_look(path, true, &info))
            check_inspection(path);
    }
    CHECK(fs_remove(folder));
    return 0;
}
