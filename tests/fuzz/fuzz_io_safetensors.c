// Headers of tensor files. The first byte of the input is how many bytes of data follow a header,
// which is the rest; after 255 the rest is a whole file.
#include "fuzz.h"

#include "io/safetensors_write.h"

enum { WHOLE_FILE = 255, MAX_TENSORS = 64, LENGTH_BYTES = 8 };

static unsigned char *make_file(const uint8_t *data, size_t num_bytes, size_t *file_bytes) {
    size_t data_bytes = data[0];
    uint64_t header_bytes = num_bytes - 1;
    bool is_whole = data_bytes == WHOLE_FILE;
    *file_bytes = is_whole ? header_bytes : LENGTH_BYTES + header_bytes + data_bytes;
    unsigned char *file = malloc(*file_bytes + is_whole);
    CHECK(file);
    if (is_whole) {
        memcpy(file, data + 1, header_bytes);
        return file;
    }
    memcpy(file, &header_bytes, LENGTH_BYTES);
    memcpy(file + LENGTH_BYTES, data + 1, header_bytes);
    for (size_t i = 0; i < data_bytes; i++)
        file[LENGTH_BYTES + header_bytes + i] = (unsigned char)i;
    return file;
}

static void check_numbers(const struct safetensors_info *info) {
    bool is_float = info->dtype == SAFETENSORS_F32 || info->dtype == SAFETENSORS_F16 ||
                    info->dtype == SAFETENSORS_BF16;
    float *numbers = malloc(info->num_elements * sizeof *numbers + 1);
    CHECK(numbers);
    CHECK(safetensors_read_f32(info, numbers, info->num_elements) ==
          (is_float ? VKS_OK : VKS_ERR_UNSUPPORTED));
    CHECK(safetensors_read_f32(info, numbers, info->num_elements + 1) == VKS_ERR_SHAPE);
    free(numbers);
}

// The data are one tensor after the other up to the end of the file, and names lead to them.
static void check_tensors(const struct safetensors *file, const unsigned char *end) {
    const unsigned char *at = NULL;
    for (size_t i = 0; i < safetensors_num_tensors(file); i++) {
        const struct safetensors_info *info = safetensors_at(file, i);
        struct safetensors_info found;
        CHECK(i == 0 || info->data == at);
        CHECK(info->num_bytes == info->num_elements * safetensors_dtype_bytes(info->dtype));
        at = info->data + info->num_bytes;
        CHECK(safetensors_find(file, info->name, &found) && found.data == info->data &&
              found.num_bytes == info->num_bytes);
    }
    CHECK(!at || at == end);
}

// What was read is the same when it is written and read again.
static void check_copy(const struct safetensors *file) {
    static const char path[] = "copy.safetensors";
    struct safetensors_tensor tensors[MAX_TENSORS];
    size_t num = safetensors_num_tensors(file);
    if (num > MAX_TENSORS)
        return;
    for (size_t i = 0; i < num; i++) {
        const struct safetensors_info *info = safetensors_at(file, i);
        tensors[i] =
            (struct safetensors_tensor){info->name, info->dtype, info->num_dims, {0}, info->data};
        memcpy(tensors[i].dims, info->dims, sizeof info->dims);
    }
    const char *format = safetensors_metadata(file, "format");
    const char *const metadata[][2] = {{"format", format}};
    const struct safetensors_write_params params = {.tensors = tensors,
                                                    .num_tensors = num,
                                                    .metadata = metadata,
                                                    .num_metadata = format != NULL};
    struct safetensors *copy;
    CHECK(safetensors_write(path, &params) == VKS_OK);
    CHECK(safetensors_open(path, NULL, &copy) == VKS_OK);
    CHECK(safetensors_num_tensors(copy) == num);
    for (size_t i = 0; i < num; i++) {
        struct safetensors_info info;
        CHECK(safetensors_find(copy, tensors[i].name, &info));
        CHECK(info.dtype == tensors[i].dtype && info.num_dims == tensors[i].num_dims &&
              memcmp(info.dims, tensors[i].dims, sizeof info.dims) == 0 &&
              memcmp(info.data, tensors[i].data, info.num_bytes) == 0);
    }
    const char *copied = safetensors_metadata(copy, "format");
    CHECK(format ? copied && strcmp(copied, format) == 0 : !copied);
    safetensors_close(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    if (num_bytes == 0)
        return 0;
    size_t file_bytes, num_messages;
    struct vks_log log = fuzz_log(&num_messages);
    unsigned char *bytes = make_file(data, num_bytes, &file_bytes);
    struct safetensors *file;
    if (fuzz_is_ok(safetensors_parse(bytes, file_bytes, "input", &log, &file), num_messages)) {
        check_tensors(file, bytes + file_bytes);
        check_copy(file);
        for (size_t i = 0; i < safetensors_num_tensors(file); i++)
            check_numbers(safetensors_at(file, i));
        safetensors_close(&file);
    }
    free(bytes);
    return 0;
}
