// PyTorch's files: every element of a tensor can be read. The input is a pickle, which the target
// puts into an archive with storages of 64 bytes named 0 and 1; after a byte 255 it is a whole
// archive.
#include "fuzz.h"

#include "io/torch_file.h"

#include <zlib.h>

enum { WHOLE_FILE = 255, STORAGE_BYTES = 64, NUM_FILES = 3, ROOM = 4096 };

struct writer {
    unsigned char *at;
};

static void put(struct writer *writer, uint64_t value, unsigned num_bytes) {
    for (unsigned i = 0; i < num_bytes; i++)
        *writer->at++ = (unsigned char)(i < 8 ? value >> 8 * i : 0);
}

static void put_bytes(struct writer *writer, const void *bytes, size_t num) {
    if (num)
        memcpy(writer->at, bytes, num);
    writer->at += num;
}

struct file {
    const char *name;
    const unsigned char *data;
    size_t num_bytes;
};

// What a header in the archive and one in its directory have in common.
static void put_common(struct writer *writer, const struct file *file) {
    put(writer, 0, 2); // flags
    put(writer, 0, 2); // stored
    put(writer, 0, 4); // time
    put(writer, crc32(0, file->data, (unsigned)file->num_bytes), 4);
    put(writer, file->num_bytes, 4);
    put(writer, file->num_bytes, 4);
    put(writer, strlen(file->name), 2);
    put(writer, 0, 2);
}

static size_t make_archive(const struct file *files, unsigned char *archive) {
    struct writer writer = {archive};
    size_t offsets[NUM_FILES];
    for (size_t i = 0; i < NUM_FILES; i++) {
        offsets[i] = (size_t)(writer.at - archive);
        put(&writer, 0x04034b50, 4);
        put(&writer, 10, 2);
        put_common(&writer, &files[i]);
        put_bytes(&writer, files[i].name, strlen(files[i].name));
        put_bytes(&writer, files[i].data, files[i].num_bytes);
    }
    size_t directory = (size_t)(writer.at - archive);
    for (size_t i = 0; i < NUM_FILES; i++) {
        put(&writer, 0x02014b50, 4);
        put(&writer, 10, 2);
        put(&writer, 10, 2);
        put_common(&writer, &files[i]);
        put(&writer, 0, 10); // comment, volume, attributes
        put(&writer, offsets[i], 4);
        put_bytes(&writer, files[i].name, strlen(files[i].name));
    }
    size_t end = (size_t)(writer.at - archive);
    put(&writer, 0x06054b50, 4);
    put(&writer, 0, 4);
    put(&writer, NUM_FILES, 2);
    put(&writer, NUM_FILES, 2);
    put(&writer, end - directory, 4);
    put(&writer, directory, 4);
    put(&writer, 0, 2);
    return (size_t)(writer.at - archive);
}

static void check_tensors(const struct torch_file *file) {
    for (size_t i = 0; i < torch_file_num_tensors(file); i++) {
        const struct tensor_view *view = torch_file_at(file, i);
        bool is_float = view->dtype == SAFETENSORS_F32 || view->dtype == SAFETENSORS_F16 ||
                        view->dtype == SAFETENSORS_BF16;
        if (view->num_elements > 1 << 16) // strides of 0 repeat a few elements
            continue;
        float *values = malloc(view->num_elements * sizeof *values + 1);
        CHECK(values);
        CHECK(tensor_view_read_f32(view, values, view->num_elements) ==
              (is_float ? VKS_OK : VKS_ERR_UNSUPPORTED));
        CHECK(tensor_view_equals(view, view));
        tensor_view_is_zero(view);
        free(values);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    static const unsigned char storage[STORAGE_BYTES] = {1, 2, 3};
    if (num_bytes == 0)
        return 0;
    const struct file files[NUM_FILES] = {{"m/data.pkl", data, num_bytes},
                                          {"m/data/0", storage, sizeof storage},
                                          {"m/data/1", storage, sizeof storage}};
    bool is_whole = data[0] == WHOLE_FILE;
    unsigned char *bytes = malloc(is_whole ? num_bytes : num_bytes + ROOM);
    CHECK(bytes);
    size_t num = num_bytes - 1, num_messages;
    if (is_whole)
        memcpy(bytes, data + 1, num);
    else
        num = make_archive(files, bytes);
    struct vks_log log = fuzz_log(&num_messages);
    struct torch_file *file = NULL;
    // Behind the archive there is nothing, so that a sanitizer sees what reads past it.
    unsigned char *exact = malloc(num + 1);
    CHECK(exact);
    memcpy(exact, bytes, num);
    if (fuzz_is_ok(torch_file_parse(exact, num, "input", &log, &file), num_messages))
        check_tensors(file);
    torch_file_close(&file);
    free(exact);
    free(bytes);
    return 0;
}
