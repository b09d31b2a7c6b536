// Tensors in several files: all are found through the index, and an index that lies is refused.
#include "scratch.h"

#include "base/check.h"
#include "io/safetensors_write.h"
#include "io/tensor_set.h"

static void write_shard(const struct scratch *scratch, const char *name, const char *tensor,
                        float value) {
    const float values[] = {value, value + 1};
    const struct safetensors_tensor tensors[] = {
        {.name = tensor, .dtype = SAFETENSORS_F32, .num_dims = 1, .dims = {2}, .data = values}};
    const struct safetensors_write_params params = {
        .tensors = tensors, .num_tensors = 1, .log = &scratch->log};
    char *path = scratch_path(scratch, name);
    assert_int_equal(safetensors_write(path, &params), VKS_OK);
    free(path);
}

static enum vks_status open_index(struct scratch *scratch, const char *text,
                                  struct tensor_set **set) {
    scratch_put(scratch, "model.safetensors.index.json", text, strlen(text));
    scratch->num_messages = 0;
    enum vks_status status = tensor_set_open(scratch->dir, &scratch->log, set);
    assert_int_equal(scratch->num_messages, status != VKS_OK);
    return status;
}

static void shards_are_one_set(void **state) {
    struct scratch *scratch = *state;
    struct tensor_set *set;
    float values[2];
    write_shard(scratch, "one.safetensors", "b", 1);
    write_shard(scratch, "two.safetensors", "a", 5);
    assert_int_equal(open_index(scratch,
                                "{\"metadata\": {\"total_size\": 16}, \"weight_map\": "
                                "{\"b\": \"one.safetensors\", \"a\": \"two.safetensors\"}}",
                                &set),
                     VKS_OK);
    assert_int_equal(tensor_set_num(set), 2);
    assert_string_equal(tensor_set_at(set, 0)->name, "a");
    assert_int_equal(tensor_view_read_f32(tensor_set_find(set, "a"), values, 2), VKS_OK);
    assert_true(values[0] == 5 && values[1] == 6);
    assert_non_null(strstr(tensor_set_find(set, "b")->path, "one.safetensors"));
    assert_null(tensor_set_find(set, "c"));
    tensor_set_close(&set);
    tensor_set_close(&set);
}

static void an_index_that_lies_is_refused(void **state) {
    static const struct {
        const char *text, *message;
        enum vks_status status;
    } cases[] = {
        {"{\"weight_map\": {\"b\": \"one.safetensors\", \"a\": \"one.safetensors\"}}",
         "tensor 'a' is not in one.safetensors", VKS_ERR_FORMAT},
        {"{\"weight_map\": {}}", "", VKS_OK},
        {"{\"weight_map\": {\"b\": \"../one.safetensors\"}}", "a file beside the index",
         VKS_ERR_FORMAT},
        {"{\"weight_map\": {\"b\": \"\"}}", "a file beside the index", VKS_ERR_FORMAT},
        {"{\"weight_map\": {\"b\": 1}}", "a file beside the index", VKS_ERR_FORMAT},
        {"{\"weight_map\": {\"b\": \"one.safetensors\", \"b\": \"one.safetensors\"}}",
         "two of that name", VKS_ERR_FORMAT},
        {"{\"weight_map\": [\"b\"]}", "\"weight_map\" is missing", VKS_ERR_FORMAT},
        {"[", "malformed JSON", VKS_ERR_FORMAT},
        {"{\"weight_map\": {\"b\": \"one.safetensors\", \"a\": \"four.safetensors\"}}",
         "four.safetensors: cannot open", VKS_ERR_IO},
        {"{\"weight_map\": {\"b\": \"one.safetensors\", \"a\": \"copy.safetensors\"}}",
         "has it too", VKS_ERR_FORMAT},
    };
    struct scratch *scratch = *state;
    write_shard(scratch, "one.safetensors", "b", 1);
    write_shard(scratch, "two.safetensors", "a", 5);
    write_shard(scratch, "copy.safetensors", "b", 5);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tensor_set *set = NULL;
        assert_int_equal(open_index(scratch, cases[i].text, &set), cases[i].status);
        if (cases[i].status == VKS_ERR_FORMAT && !strstr(scratch->text, cases[i].message))
            fail_msg("expected '%s' in '%s'", cases[i].message, scratch->text);
        tensor_set_close(&set);
    }
}

static void a_tensor_that_the_index_misses_is_refused(void **state) {
    struct scratch *scratch = *state;
    struct tensor_set *set = NULL;
    const float values[] = {1, 2};
    const struct safetensors_tensor tensors[] = {
        {.name = "a", .dtype = SAFETENSORS_F32, .num_dims = 1, .dims = {2}, .data = values},
        {.name = "b", .dtype = SAFETENSORS_F32, .num_dims = 1, .dims = {2}, .data = values}};
    const struct safetensors_write_params params = {.tensors = tensors, .num_tensors = 2};
    char *path = scratch_path(scratch, "both.safetensors");
    assert_int_equal(safetensors_write(path, &params), VKS_OK);
    free(path);
    assert_int_equal(open_index(scratch, "{\"weight_map\": {\"a\": \"both.safetensors\"}}", &set),
                     VKS_ERR_FORMAT);
    assert_non_null(strstr(scratch->text, "it names 1 tensors, its files have 2"));
}

static void a_folder_without_tensors_names_the_first_file(void **state) {
    struct scratch *scratch = *state;
    struct tensor_set *set = NULL;
    assert_int_equal(tensor_set_open(scratch->dir, &scratch->log, &set), VKS_ERR_IO);
    assert_non_null(strstr(scratch->text, "/model.safetensors: cannot open"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(shards_are_one_set),
        SCRATCH_TEST(an_index_that_lies_is_refused),
        SCRATCH_TEST(a_tensor_that_the_index_misses_is_refused),
        SCRATCH_TEST(a_folder_without_tensors_names_the_first_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
