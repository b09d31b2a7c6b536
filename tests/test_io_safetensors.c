// Tensors survive the way through a file; a header that lies is refused with a clear message.
#include "scratch.h"

#include "base/check.h"
#include "base/half.h"
#include "io/safetensors_write.h"

#include <inttypes.h>

// Writes length, header and num_data_bytes zeros under the name "f", and returns what open says.
static enum vks_status open_crafted(struct scratch *scratch, uint64_t length, const char *header,
                                    size_t num_data_bytes, struct safetensors **file) {
    size_t header_bytes = strlen(header), num_bytes = 8 + header_bytes + num_data_bytes;
    unsigned char *content = calloc(1, num_bytes);
    assert_non_null(content);
    memcpy(content, &length, 8);
    memcpy(content + 8, header, header_bytes);
    scratch_put(scratch, "f", content, num_bytes);
    free(content);
    char *path = scratch_path(scratch, "f");
    scratch->num_messages = 0;
    enum vks_status status = safetensors_open(path, &scratch->log, file);
    if (status != VKS_OK) {
        assert_int_equal(scratch->num_messages, 1);
        assert_non_null(strstr(scratch->text, path));
    }
    free(path);
    return status;
}

static void refuse(struct scratch *scratch, const char *header, size_t num_data_bytes,
                   const char *message) {
    struct safetensors *file = NULL;
    assert_int_equal(open_crafted(scratch, strlen(header), header, num_data_bytes, &file),
                     VKS_ERR_FORMAT);
    assert_null(file);
    if (!strstr(scratch->text, message))
        fail_msg("expected '%s' in '%s'", message, scratch->text);
}

#define A_4 "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}"

static void well_formed_header_is_accepted(void **state) {
    struct scratch *scratch = *state;
    struct safetensors *file = NULL;
    const char *header = "{" A_4 ",\"e\":{\"shape\":[0,3],\"data_offsets\":[4,4],\"dtype\":\"U8\"},"
                         "\"s\":{\"dtype\":\"BOOL\",\"shape\":[],\"data_offsets\":[4,5]}}  ";
    assert_int_equal(open_crafted(scratch, strlen(header), header, 5, &file), VKS_OK);
    assert_int_equal(safetensors_num_tensors(file), 3);
    struct safetensors_info info;
    assert_true(safetensors_find(file, "s", &info));
    assert_int_equal(info.num_dims, 0);
    assert_int_equal(info.num_elements, 1);
    assert_true(safetensors_find(file, "e", &info));
    assert_int_equal(info.num_elements, 0);
    safetensors_close(&file);
    assert_int_equal(open_crafted(scratch, 2, "{}", 0, &file), VKS_OK);
    assert_int_equal(safetensors_num_tensors(file), 0);
    assert_false(safetensors_find(file, "a", &info));
    assert_null(safetensors_metadata(file, "a"));
    safetensors_close(&file);
    safetensors_close(&file);
}

static void truncated_file_is_refused(void **state) {
    struct scratch *scratch = *state;
    const char *header = "{" A_4 "}";
    struct safetensors *file = NULL;
    char *path = scratch_path(scratch, "f");
    for (off_t num_bytes = (off_t)strlen(header) + 8 + 3; num_bytes >= 0; num_bytes--) {
        assert_int_equal(open_crafted(scratch, strlen(header), header, 4, &file), VKS_OK);
        safetensors_close(&file);
        assert_int_equal(truncate(path, num_bytes), 0);
        assert_int_equal(safetensors_open(path, &scratch->log, &file), VKS_ERR_FORMAT);
    }
    free(path);
}

static void header_length_past_the_file_is_refused(void **state) {
    struct scratch *scratch = *state;
    static const uint64_t lengths[] = {3,          1000,          100000001, UINT64_C(1) << 63,
                                       UINT64_MAX, UINT64_MAX - 7};
    struct safetensors *file = NULL;
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        char number[32];
        snprintf(number, sizeof number, "%" PRIu64, lengths[i]);
        assert_int_equal(open_crafted(scratch, lengths[i], "{}", 0, &file), VKS_ERR_FORMAT);
        assert_non_null(strstr(scratch->text, number));
    }
    // Larger than allowed although the file is as large.
    assert_int_equal(open_crafted(scratch, 100000001, "{}", 100000001, &file), VKS_ERR_FORMAT);
    assert_non_null(strstr(scratch->text, "100000001"));
}

static void header_that_is_not_json_is_refused(void **state) {
    struct scratch *scratch = *state;
    refuse(scratch, "", 0, "not JSON");
    refuse(scratch, "{", 0, "not JSON");
    refuse(scratch, "{}x", 0, "not JSON at byte 10");
    refuse(scratch, "{" A_4 ",}", 4, "not JSON");
    refuse(scratch, "[]", 0, "not a JSON object");
    refuse(scratch, "7", 0, "not a JSON object");
    refuse(scratch, "{\"a\\u0000b\":1}", 0, "NUL");
    struct safetensors *file = NULL;
    assert_int_equal(open_crafted(scratch, 3, "{}", 1, &file), VKS_ERR_FORMAT);
    assert_non_null(strstr(scratch->text, "NUL"));
}

static void deep_nesting_is_refused(void **state) {
    struct scratch *scratch = *state;
    enum { DEPTH = 200000 };
    char *header = malloc(DEPTH + 6);
    assert_non_null(header);
    memcpy(header, "{\"a\":", 5);
    memset(header + 5, '[', DEPTH);
    header[DEPTH + 5] = 0;
    refuse(scratch, header, 0, "not JSON");
    free(header);
    refuse(scratch, "{\"a\":{\"dtype\":\"F32\",\"shape\":[[1]],\"data_offsets\":[0,4]}}", 4,
           "a dimension is not a whole number");
}

static void wrong_offsets_are_refused(void **state) {
    struct scratch *scratch = *state;
    static const struct {
        const char *offsets, *message;
    } cases[] = {
        {"[0,8]", "the file's data at"},
        {"[4,8]", "the file's data at"},
        {"[0,9007199254740992]", "the file's data at"},
        {"[0,18446744073709551616]", "whole numbers"},
        {"[-4,0]", "whole numbers"},
        {"[4,0]", "ascending"},
        {"[0,4.5]", "whole numbers"},
        {"[0,1e999]", "whole numbers"},
        {"[0]", "two ascending"},
        {"[0,4,4]", "two ascending"},
        {"[\"0\",\"4\"]", "whole numbers"},
        {"{\"x\":0,\"y\":4}", "two ascending"},
        {"null", "two ascending"},
        {"[0,3]", "data_offsets give 3 bytes"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char header[256];
        snprintf(header, sizeof header,
                 "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":%s}}", cases[i].offsets);
        refuse(scratch, header, 4, cases[i].message);
        assert_non_null(strstr(scratch->text, "'a'"));
    }
}

static void wrong_shapes_are_refused(void **state) {
    struct scratch *scratch = *state;
    static const struct {
        const char *shape, *message;
    } cases[] = {
        {"[2]", "need 2 elements of 4 bytes"},
        {"[]", "need 1 elements"},
        {"[0]", "need 0 elements"},
        {"[-1]", "whole number"},
        {"[1.5]", "whole number"},
        {"[4294967296,4294967296]", "overflows"},
        {"[4503599627370496,1024]", "overflows"},
        {"[4294967296,2147483648,0]", "overflows"},
        {"1", "no shape"},
        {"{}", "no shape"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char header[256];
        snprintf(header, sizeof header,
                 "{\"a\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[0,8]}}", cases[i].shape);
        if (i == 0)
            refuse(scratch, header, 9, "belong to no tensor");
        else
            refuse(scratch, header, 8, cases[i].message);
    }
}

static void overlap_and_hole_are_refused(void **state) {
    struct scratch *scratch = *state;
    refuse(scratch, "{" A_4 ",\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[3,7]}}", 7,
           "'b': its data overlap");
    refuse(scratch, "{" A_4 ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
           "overlap");
    refuse(scratch, "{" A_4 ",\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[5,9]}}", 9,
           "'b': there is a hole");
    refuse(scratch, "{" A_4 "}", 5, "belong to no tensor");
    refuse(scratch, "{\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[1,5]}}", 5, "hole");
}

static void duplicates_are_refused(void **state) {
    struct scratch *scratch = *state;
    refuse(scratch, "{" A_4 ",\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8,
           "two of that name");
    refuse(scratch, "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "two __metadata__");
    refuse(scratch,
           "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"dtype\":\"I32\"}}", 4,
           "not an object of dtype, shape and data_offsets");
    refuse(scratch, "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"shape\":[1]}}", 4, "data_offsets");
}

static void wrong_types_are_refused(void **state) {
    struct scratch *scratch = *state;
    refuse(scratch, "{\"a\":[]}", 0, "not an object");
    refuse(scratch, "{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "no dtype");
    refuse(scratch, "{\"__metadata__\":[]}", 0, "not an object");
    refuse(scratch, "{\"__metadata__\":{\"a\":1}}", 0, "not a text");
}

static void unsupported_features_are_named(void **state) {
    struct scratch *scratch = *state;
    struct safetensors *file = NULL;
    const char *header = "{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[1],\"data_offsets\":[0,1]}}";
    assert_int_equal(open_crafted(scratch, strlen(header), header, 1, &file), VKS_ERR_UNSUPPORTED);
    assert_non_null(strstr(scratch->text, "F8_E4M3"));
    header = "{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,1]}}";
    assert_int_equal(open_crafted(scratch, strlen(header), header, 1, &file), VKS_ERR_UNSUPPORTED);
    assert_non_null(strstr(scratch->text, "8 dimensions"));
}

static void missing_file_names_its_path(void **state) {
    struct scratch *scratch = *state;
    char *path = scratch_path(scratch, "missing");
    struct safetensors *file = NULL;
    assert_int_equal(safetensors_open(path, &scratch->log, &file), VKS_ERR_IO);
    assert_non_null(strstr(scratch->text, path));
    free(path);
}

// Byte i of tensor t.
static unsigned char pattern(size_t tensor_idx, uint64_t byte_idx) {
    return (unsigned char)(byte_idx * 31 + byte_idx / 251 + tensor_idx * 17);
}

static enum vks_status fill_pattern(void *user, size_t tensor_idx, uint64_t offset_bytes,
                                    void *chunk, size_t num_bytes) {
    uint64_t *expected_offsets = user;
    assert_true(expected_offsets[tensor_idx] == offset_bytes);
    expected_offsets[tensor_idx] += num_bytes;
    for (size_t i = 0; i < num_bytes; i++)
        ((unsigned char *)chunk)[i] = pattern(tensor_idx, offset_bytes + i);
    return VKS_OK;
}

static void written_tensors_read_back(void **state) {
    struct scratch *scratch = *state;
    static const int64_t longs[] = {INT64_MIN, -1, INT64_MAX};
    static const int32_t ints[] = {7, -7};
    static const struct safetensors_tensor tensors[] = {
        {"bf16", SAFETENSORS_BF16, 1, {3}, NULL},
        {"large \"f32\"\n\xC3\xA9", SAFETENSORS_F32, 3, {7, 1, 100003}, NULL},
        {"int", SAFETENSORS_I32, 2, {1, 2}, ints},
        {"scalar", SAFETENSORS_F16, 0, {0}, NULL},
        {"empty", SAFETENSORS_F32, 2, {0, 5}, NULL},
        {"long", SAFETENSORS_I64, 1, {3}, longs},
    };
    static const char *const metadata[][2] = {{"format", "pt"}, {"a\\b", "line\nline"}};
    uint64_t expected_offsets[COUNT_OF(tensors)] = {0};
    const struct safetensors_write_params params = {
        .tensors = tensors,
        .num_tensors = COUNT_OF(tensors),
        .metadata = metadata,
        .num_metadata = COUNT_OF(metadata),
        .fill = fill_pattern,
        .user = expected_offsets,
        .log = &scratch->log,
    };
    char *path = scratch_path(scratch, "f");
    assert_int_equal(safetensors_write(path, &params), VKS_OK);
    struct safetensors *file = NULL;
    assert_int_equal(safetensors_open(path, &scratch->log, &file), VKS_OK);
    assert_int_equal(safetensors_num_tensors(file), COUNT_OF(tensors));
    assert_string_equal(safetensors_metadata(file, "a\\b"), "line\nline");
    assert_string_equal(safetensors_metadata(file, "format"), "pt");
    assert_string_equal(safetensors_at(file, 0)->name, "long");
    for (size_t t = 0; t < COUNT_OF(tensors); t++) {
        struct safetensors_info info;
        assert_true(safetensors_find(file, tensors[t].name, &info));
        assert_int_equal(info.dtype, tensors[t].dtype);
        assert_int_equal(info.num_dims, tensors[t].num_dims);
        assert_memory_equal(info.dims, tensors[t].dims, sizeof info.dims[0] * info.num_dims);
        assert_true((uintptr_t)info.data % safetensors_dtype_bytes(info.dtype) == 0);
        if (tensors[t].data)
            assert_memory_equal(info.data, tensors[t].data, info.num_bytes);
        else
            for (size_t i = 0; i < info.num_bytes; i++)
                assert_int_equal(info.data[i], pattern(t, i));
    }
    safetensors_close(&file);
    free(path);
}

static void halves_are_read_as_floats(void **state) {
    struct scratch *scratch = *state;
    static const float values[] = {0, -1.5f, 65504, 0.099975586f};
    uint16_t half[COUNT_OF(values)], bf16[COUNT_OF(values)];
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        half[i] = half_from_float(values[i]);
        bf16[i] = bf16_from_float(values[i]);
    }
    const struct safetensors_tensor tensors[] = {
        {"f32", SAFETENSORS_F32, 1, {4}, values},
        {"f16", SAFETENSORS_F16, 1, {4}, half},
        {"bf16", SAFETENSORS_BF16, 1, {4}, bf16},
        {"i32", SAFETENSORS_I32, 1, {4}, values},
    };
    const struct safetensors_write_params params = {
        .tensors = tensors, .num_tensors = COUNT_OF(tensors), .log = &scratch->log};
    char *path = scratch_path(scratch, "f");
    struct safetensors *file = NULL;
    struct safetensors_info info;
    float out[COUNT_OF(values)];
    assert_int_equal(safetensors_write(path, &params), VKS_OK);
    assert_int_equal(safetensors_open(path, &scratch->log, &file), VKS_OK);
    assert_true(safetensors_find(file, "f32", &info));
    assert_int_equal(safetensors_read_f32(&info, out, 4), VKS_OK);
    assert_memory_equal(out, values, sizeof values);
    assert_int_equal(safetensors_read_f32(&info, out, 3), VKS_ERR_SHAPE);
    assert_non_null(strstr(scratch->text, "4 elements, expected 3"));
    assert_true(safetensors_find(file, "f16", &info));
    assert_int_equal(safetensors_read_f32(&info, out, 4), VKS_OK);
    assert_memory_equal(out, values, sizeof values);
    assert_true(safetensors_find(file, "bf16", &info));
    assert_int_equal(safetensors_read_f32(&info, out, 4), VKS_OK);
    for (size_t i = 0; i < COUNT_OF(values); i++)
        assert_true(out[i] == bf16_to_float(bf16[i]));
    assert_true(safetensors_find(file, "i32", &info));
    assert_int_equal(safetensors_read_f32(&info, out, 4), VKS_ERR_UNSUPPORTED);
    assert_non_null(strstr(scratch->text, "I32"));
    safetensors_close(&file);
    free(path);
}

static enum vks_status fill_nothing(void *user, size_t tensor_idx, uint64_t offset_bytes,
                                    void *chunk, size_t num_bytes) {
    (void)user, (void)tensor_idx, (void)offset_bytes, (void)chunk, (void)num_bytes;
    return VKS_ERR_DEVICE_LOST;
}

static void failed_writing_leaves_no_file(void **state) {
    struct scratch *scratch = *state;
    static const struct safetensors_tensor twice[] = {{"a", SAFETENSORS_F32, 1, {3}, NULL},
                                                      {"a", SAFETENSORS_F32, 1, {3}, NULL}};
    static const struct safetensors_tensor huge = {
        "a", SAFETENSORS_F32, 2, {UINT64_C(1) << 32, UINT64_C(1) << 32}, NULL};
    struct safetensors_write_params params = {
        .tensors = twice, .num_tensors = 1, .fill = fill_nothing, .log = &scratch->log};
    char *path = scratch_path(scratch, "f");
    assert_int_equal(safetensors_write(path, &params), VKS_ERR_DEVICE_LOST);
    params.num_tensors = 2;
    assert_int_equal(safetensors_write(path, &params), VKS_ERR_ARGUMENT);
    params.num_tensors = 1;
    params.tensors = &huge;
    assert_int_equal(safetensors_write(path, &params), VKS_ERR_ARGUMENT);
    char **names;
    size_t num_names;
    assert_int_equal(directory_list(scratch->dir, NULL, &names, &num_names), VKS_OK);
    assert_int_equal(num_names, 0);
    directory_list_free(&names, num_names);
    free(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(well_formed_header_is_accepted),
        SCRATCH_TEST(truncated_file_is_refused),
        SCRATCH_TEST(header_length_past_the_file_is_refused),
        SCRATCH_TEST(header_that_is_not_json_is_refused),
        SCRATCH_TEST(deep_nesting_is_refused),
        SCRATCH_TEST(wrong_offsets_are_refused),
        SCRATCH_TEST(wrong_shapes_are_refused),
        SCRATCH_TEST(overlap_and_hole_are_refused),
        SCRATCH_TEST(duplicates_are_refused),
        SCRATCH_TEST(wrong_types_are_refused),
        SCRATCH_TEST(unsupported_features_are_named),
        SCRATCH_TEST(missing_file_names_its_path),
        SCRATCH_TEST(written_tensors_read_back),
        SCRATCH_TEST(halves_are_read_as_floats),
        SCRATCH_TEST(failed_writing_leaves_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
