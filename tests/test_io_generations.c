// A training state appears whole or not at all, and a damaged one is passed over.
#include "scratch.h"

#include "io/generations.h"

static void write_generation(struct scratch *scratch, const char *content, uint32_t keep_last) {
    struct generation generation;
    assert_int_equal(generation_begin(scratch->dir, &scratch->log, &generation), VKS_OK);
    char *path = path_join(generation.path, "state");
    assert_int_equal(file_replace(path, content, strlen(content), &scratch->log), VKS_OK);
    free(path);
    path = path_join(generation.path, "empty");
    assert_int_equal(file_replace(path, "", 0, &scratch->log), VKS_OK);
    free(path);
    assert_int_equal(generation_commit(&generation, keep_last), VKS_OK);
    assert_null(generation.path);
}

static void expect_newest(struct scratch *scratch, const char *name) {
    char *path = NULL;
    assert_int_equal(generation_open_newest(scratch->dir, &scratch->log, &path), VKS_OK);
    if (*name) {
        char *expected = scratch_path(scratch, name);
        assert_string_equal(path, expected);
        free(expected);
    } else {
        assert_string_equal(path, "");
    }
    free(path);
}

static void expect_names(struct scratch *scratch, const char *joined) {
    char **names, text[256] = "";
    size_t num_names;
    assert_int_equal(directory_list(scratch->dir, NULL, &names, &num_names), VKS_OK);
    for (size_t i = 0; i < num_names; i++) {
        strcat(text, names[i]);
        strcat(text, " ");
    }
    directory_list_free(&names, num_names);
    assert_string_equal(text, joined);
}

static void nothing_saved_is_no_error(void **state) {
    struct scratch *scratch = *state;
    expect_newest(scratch, "");
    char *missing = scratch_path(scratch, "missing"), *path = NULL;
    assert_int_equal(generation_open_newest(missing, &scratch->log, &path), VKS_OK);
    assert_string_equal(path, "");
    assert_int_equal(scratch->num_messages, 0);
    free(path);
    free(missing);
}

static void newest_is_opened_and_old_ones_go(void **state) {
    struct scratch *scratch = *state;
    write_generation(scratch, "one", 2);
    expect_newest(scratch, "gen-00000001");
    write_generation(scratch, "two", 2);
    write_generation(scratch, "three", 2);
    expect_names(scratch, "gen-00000002 gen-00000003 ");
    expect_newest(scratch, "gen-00000003");
    write_generation(scratch, "four", 1);
    expect_names(scratch, "gen-00000004 ");
    assert_int_equal(scratch->num_messages, 0);
}

static void aborted_generation_leaves_nothing(void **state) {
    struct scratch *scratch = *state;
    struct generation generation;
    assert_int_equal(generation_begin(scratch->dir, &scratch->log, &generation), VKS_OK);
    expect_names(scratch, ".tmp-1 ");
    expect_newest(scratch, "");
    generation_abort(&generation);
    generation_abort(&generation);
    expect_names(scratch, "");
}

static void interrupted_generation_is_ignored_and_cleared(void **state) {
    struct scratch *scratch = *state;
    write_generation(scratch, "one", 3);
    char *path = scratch_path(scratch, ".tmp-2");
    assert_int_equal(directory_create(path, NULL), VKS_OK);
    free(path);
    scratch_put(scratch, ".tmp-2/old", "old", 3);
    path = scratch_path(scratch, ".tmp-77");
    assert_int_equal(directory_create(path, NULL), VKS_OK);
    free(path);
    expect_newest(scratch, "gen-00000001");
    write_generation(scratch, "two", 3);
    expect_names(scratch, "gen-00000001 gen-00000002 ");
    path = scratch_path(scratch, "gen-00000002/old");
    assert_false(file_exists(path));
    free(path);
}

// Damages the newest of two, and expects a warning that contains `message` and the older one.
static void expect_passed_over(struct scratch *scratch, const char *message) {
    scratch->num_messages = 0;
    expect_newest(scratch, "gen-00000001");
    assert_int_equal(scratch->num_messages, 1);
    assert_non_null(strstr(scratch->text, "gen-00000002"));
    if (!strstr(scratch->text, message))
        fail_msg("expected '%s' in '%s'", message, scratch->text);
}

static void truncated_file_is_passed_over(void **state) {
    struct scratch *scratch = *state;
    write_generation(scratch, "one", 2);
    write_generation(scratch, "two", 2);
    char *path = scratch_path(scratch, "gen-00000002/state");
    assert_int_equal(truncate(path, 2), 0);
    free(path);
    expect_passed_over(scratch, "state has 2 bytes, and had 3");
}

static void flipped_byte_is_passed_over(void **state) {
    struct scratch *scratch = *state;
    write_generation(scratch, "one", 2);
    write_generation(scratch, "two", 2);
    scratch_put(scratch, "gen-00000002/state", "twp", 3);
    expect_passed_over(scratch, "checksum");
}

static void missing_file_is_passed_over(void **state) {
    struct scratch *scratch = *state;
    write_generation(scratch, "one", 2);
    write_generation(scratch, "two", 2);
    char *path = scratch_path(scratch, "gen-00000002/empty");
    assert_int_equal(unlink(path), 0);
    free(path);
    expect_passed_over(scratch, "missing");
}

static void missing_or_malformed_manifest_is_passed_over(void **state) {
    struct scratch *scratch = *state;
    write_generation(scratch, "one", 2);
    write_generation(scratch, "two", 2);
    scratch_put(scratch, "gen-00000002/checksums.json", "{\"files\":", 9);
    expect_passed_over(scratch, "malformed");
    scratch_put(scratch, "gen-00000002/checksums.json", "{\"files\":[{\"name\":\"../x\"}]}", 27);
    expect_passed_over(scratch, "malformed");
    scratch_put(scratch, "gen-00000002/checksums.json", "{\"files\":[]}", 12);
    expect_passed_over(scratch, "lists no file");
    char deep[4096];
    memset(deep, '[', sizeof deep);
    scratch_put(scratch, "gen-00000002/checksums.json", deep, sizeof deep);
    expect_passed_over(scratch, "malformed");
    char *path = scratch_path(scratch, "gen-00000002/checksums.json");
    assert_int_equal(unlink(path), 0);
    free(path);
    expect_passed_over(scratch, "missing");
}

static void all_damaged_is_an_error(void **state) {
    struct scratch *scratch = *state;
    write_generation(scratch, "one", 2);
    write_generation(scratch, "two", 2);
    scratch_put(scratch, "gen-00000001/state", "", 0);
    scratch_put(scratch, "gen-00000002/state", "", 0);
    char *path = NULL;
    assert_int_equal(generation_open_newest(scratch->dir, &scratch->log, &path), VKS_ERR_FORMAT);
    assert_null(path);
    assert_non_null(strstr(scratch->text, "all 2 training states"));
    // The next one takes no number again.
    write_generation(scratch, "three", 1);
    expect_newest(scratch, "gen-00000003");
}

static void folder_in_a_generation_is_refused(void **state) {
    struct scratch *scratch = *state;
    struct generation generation;
    assert_int_equal(generation_begin(scratch->dir, &scratch->log, &generation), VKS_OK);
    char *path = path_join(generation.path, "folder");
    assert_int_equal(directory_create(path, NULL), VKS_OK);
    free(path);
    assert_int_equal(generation_commit(&generation, 1), VKS_ERR_UNSUPPORTED);
    assert_non_null(strstr(scratch->text, "folder"));
    expect_names(scratch, "");
}

static void other_names_in_the_root_stay(void **state) {
    struct scratch *scratch = *state;
    scratch_put(scratch, "gen-1", "", 0);
    scratch_put(scratch, "gen-0000000x", "", 0);
    scratch_put(scratch, "notes", "", 0);
    write_generation(scratch, "one", 1);
    expect_names(scratch, "gen-00000001 gen-0000000x gen-1 notes ");
    expect_newest(scratch, "gen-00000001");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(nothing_saved_is_no_error),
        SCRATCH_TEST(newest_is_opened_and_old_ones_go),
        SCRATCH_TEST(aborted_generation_leaves_nothing),
        SCRATCH_TEST(interrupted_generation_is_ignored_and_cleared),
        SCRATCH_TEST(truncated_file_is_passed_over),
        SCRATCH_TEST(flipped_byte_is_passed_over),
        SCRATCH_TEST(missing_file_is_passed_over),
        SCRATCH_TEST(missing_or_malformed_manifest_is_passed_over),
        SCRATCH_TEST(all_damaged_is_an_error),
        SCRATCH_TEST(folder_in_a_generation_is_refused),
        SCRATCH_TEST(other_names_in_the_root_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
