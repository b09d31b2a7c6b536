// PyTorch's files: tensors come out as they were saved, whatever else is in a file is refused, and
// nothing in it is run.
#include "scratch.h"

#include "base/check.h"
#include "io/tensor_set.h"
#include "io/torch_file.h"

static char *golden_path(const char *name) {
    return path_join(TEST_DATA_DIR "/golden/torch", name);
}

static const struct tensor_view *find(const struct torch_file *file, const char *name) {
    for (size_t i = 0; i < torch_file_num_tensors(file); i++)
        if (strcmp(torch_file_at(file, i)->name, name) == 0)
            return torch_file_at(file, i);
    fail_msg("no tensor '%s'", name);
    return NULL;
}

static void tensors_come_out_as_they_were_saved(void **state) {
    static const struct {
        const char *name;
        uint32_t num_dims;
        uint64_t dims[2];
        float values[12];
    } expected[] = {
        {"table", 2, {3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
        {"tied", 2, {3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
        {"turned", 2, {4, 3}, {0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}},
        {"part", 2, {2, 2}, {6, 7, 10, 11}},
        {"half", 1, {2}, {0.5f, -2.0f}},
        {"brain", 2, {2, 1}, {1.5f, 3.0f}},
        {"scalar", 0, {0}, {2.5f}},
        {"none", 2, {0, 4}, {0}},
        {"parameter", 1, {2}, {4, 5}},
    };
    struct scratch *scratch = *state;
    struct torch_file *file;
    char *path = golden_path("state.bin");
    float values[12];
    assert_int_equal(torch_file_open(path, &scratch->log, &file), VKS_OK);
    assert_int_equal(torch_file_num_tensors(file), COUNT_OF(expected) + 1);
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        const struct tensor_view *view = find(file, expected[i].name);
        assert_int_equal(view->num_dims, expected[i].num_dims);
        assert_memory_equal(view->dims, expected[i].dims, view->num_dims * sizeof *view->dims);
        assert_int_equal(tensor_view_read_f32(view, values, view->num_elements), VKS_OK);
        assert_memory_equal(values, expected[i].values, view->num_elements * sizeof *values);
    }
    assert_true(tensor_view_equals(find(file, "table"), find(file, "tied")));
    assert_false(tensor_view_equals(find(file, "half"), find(file, "parameter")));
    assert_false(tensor_view_is_zero(find(file, "turned")));
    const struct tensor_view *ids = find(file, "ids");
    assert_int_equal(tensor_view_read_f32(ids, values, 2), VKS_ERR_UNSUPPORTED);
    assert_int_equal(tensor_view_read_f32(find(file, "half"), values, 3), VKS_ERR_SHAPE);
    torch_file_close(&file);
    torch_file_close(&file);
    free(path);
}

static void check_refused(struct scratch *scratch, const char *name, enum vks_status expected,
                          const char *message) {
    struct torch_file *file = NULL;
    char *path = golden_path(name);
    scratch->num_messages = 0;
    assert_int_equal(torch_file_open(path, &scratch->log, &file), expected);
    assert_null(file);
    assert_int_equal(scratch->num_messages, 1);
    if (!strstr(scratch->text, message) || !strstr(scratch->text, path))
        fail_msg("expected '%s' in '%s'", message, scratch->text);
    free(path);
}

static void what_is_no_tensor_is_refused(void **state) {
    check_refused(*state, "evil.bin", VKS_ERR_UNSUPPORTED, "'posix.system' is refused");
    check_refused(*state, "old.bin", VKS_ERR_UNSUPPORTED, "before 1.6");
    check_refused(*state, "more.bin", VKS_ERR_FORMAT, "not a dictionary of tensors");
    check_refused(*state, "missing.bin", VKS_ERR_IO, "cannot open");
}

// The bytes of a file; to be freed.
static unsigned char *read_golden(const char *name, size_t *num_bytes) {
    unsigned char *bytes;
    char *path = golden_path(name);
    assert_int_equal(file_read(path, 1 << 20, NULL, &bytes, num_bytes), VKS_OK);
    free(path);
    return bytes;
}

// A block of its own for each length, so that a sanitizer sees what reads past it.
static void a_truncated_file_is_refused(void **state) {
    struct scratch *scratch = *state;
    size_t num_bytes;
    unsigned char *bytes = read_golden("state.bin", &num_bytes);
    for (size_t num = 0; num < num_bytes; num += num < 64 || num + 64 > num_bytes ? 1 : 37) {
        struct torch_file *file = NULL;
        unsigned char *part = malloc(num + 1);
        memcpy(part, bytes, num);
        scratch->num_messages = 0;
        assert_int_not_equal(torch_file_parse(part, num, "cut", &scratch->log, &file), VKS_OK);
        assert_int_equal(scratch->num_messages, 1);
        free(part);
    }
    free(bytes);
}

// Of the bytes that say something, most make a file that is refused; none one that is read wrongly.
static void a_changed_byte_is_seen_or_changes_nothing(void **state) {
    struct scratch *scratch = *state;
    size_t num_bytes;
    unsigned char *bytes = read_golden("state.bin", &num_bytes);
    uint32_t num_refused = 0;
    for (size_t i = 0; i < num_bytes; i++) {
        struct torch_file *file = NULL;
        bytes[i] ^= 0x41;
        scratch->num_messages = 0;
        enum vks_status status =
            torch_file_parse(bytes, num_bytes, "changed", &scratch->log, &file);
        assert_int_equal(scratch->num_messages, status != VKS_OK);
        num_refused += status != VKS_OK;
        torch_file_close(&file);
        bytes[i] ^= 0x41;
    }
    assert_true(num_refused > num_bytes / 4);
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(tensors_come_out_as_they_were_saved),
        SCRATCH_TEST(what_is_no_tensor_is_refused),
        SCRATCH_TEST(a_truncated_file_is_refused),
        SCRATCH_TEST(a_changed_byte_is_seen_or_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
