// Files are replaced whole or not at all; folders are made, listed, removed and locked.
#include "scratch.h"

#include "base/check.h"

#include <errno.h>
#ifndef _WIN32
#include <sys/wait.h>
#endif

static void expect_content(const char *path, const char *content) {
    unsigned char *data;
    size_t num_bytes;
    assert_int_equal(file_read(path, 1 << 20, NULL, &data, &num_bytes), VKS_OK);
    assert_int_equal(num_bytes, strlen(content));
    assert_string_equal((const char *)data, content);
    free(data);
}

static size_t count_names(const char *directory) {
    char **names;
    size_t num_names;
    assert_int_equal(directory_list(directory, NULL, &names, &num_names), VKS_OK);
    directory_list_free(&names, num_names);
    assert_null(names);
    return num_names;
}

static void replaced_file_reads_back(void **state) {
    struct scratch *scratch = *state;
    char *path = scratch_path(scratch, "a");
    scratch_put(scratch, "a", "first", 5);
    expect_content(path, "first");
    scratch_put(scratch, "a", "", 0);
    expect_content(path, "");
    scratch_put(scratch, "a", "third", 5);
    expect_content(path, "third");
    assert_true(file_exists(path));
    assert_int_equal(count_names(scratch->dir), 1);
    free(path);
}

static void large_file_and_exact_limit_are_read(void **state) {
    struct scratch *scratch = *state;
    size_t num_bytes = 100003;
    unsigned char *content = malloc(num_bytes), *data = NULL;
    assert_non_null(content);
    for (size_t i = 0; i < num_bytes; i++)
        content[i] = (unsigned char)(i * 7);
    scratch_put(scratch, "a", content, num_bytes);
    char *path = scratch_path(scratch, "a");
    size_t num_read = 0;
    assert_int_equal(file_read(path, num_bytes - 1, &scratch->log, &data, &num_read),
                     VKS_ERR_FORMAT);
    assert_non_null(strstr(scratch->text, path));
    assert_non_null(strstr(scratch->text, "100002"));
    assert_null(data);
    assert_int_equal(file_read(path, num_bytes, &scratch->log, &data, &num_read), VKS_OK);
    assert_int_equal(num_read, num_bytes);
    assert_memory_equal(data, content, num_bytes);
    assert_int_equal(data[num_bytes], 0);
    free(data);
    free(content);
    free(path);
}

#ifndef _WIN32
static void pipe_is_read_to_its_end(void **state) {
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "through a pipe", 14), 14);
    close(fds[1]);
    char path[64];
    snprintf(path, sizeof path, "/dev/fd/%d", fds[0]);
    expect_content(path, "through a pipe");
    close(fds[0]);
}
#endif

static void missing_file_error_names_path_and_reason(void **state) {
    struct scratch *scratch = *state;
    char *path = scratch_path(scratch, "missing");
    unsigned char *data = NULL;
    size_t num_bytes;
    assert_int_equal(file_read(path, 10, &scratch->log, &data, &num_bytes), VKS_ERR_IO);
    assert_non_null(strstr(scratch->text, path));
    assert_non_null(strstr(scratch->text, strerror(ENOENT)));
    assert_int_equal(file_read(scratch->dir, 10, &scratch->log, &data, &num_bytes), VKS_ERR_IO);
    assert_non_null(strstr(scratch->text, strerror(EISDIR)));
    assert_int_equal(scratch->num_messages, 2);
    assert_false(file_exists(path));
    free(path);
}

static void writer_shows_nothing_before_commit(void **state) {
    struct scratch *scratch = *state;
    char *path = scratch_path(scratch, "a");
    struct file_writer writer;
    assert_int_equal(file_writer_open(&writer, path, &scratch->log), VKS_OK);
    assert_int_equal(file_writer_write(&writer, "two ", 4), VKS_OK);
    assert_int_equal(file_writer_write(&writer, "pieces", 6), VKS_OK);
    assert_false(file_exists(path));
    assert_int_equal(file_writer_commit(&writer), VKS_OK);
    expect_content(path, "two pieces");
    assert_int_equal(writer.num_bytes, 10);
    assert_true(hash64_value(&writer.hash) == hash64_of("two pieces", 10));
    file_writer_abort(&writer);
    expect_content(path, "two pieces");
    free(path);
}

static void aborted_writer_leaves_the_old_file(void **state) {
    struct scratch *scratch = *state;
    char *path = scratch_path(scratch, "a");
    scratch_put(scratch, "a", "old", 3);
    struct file_writer writer;
    assert_int_equal(file_writer_open(&writer, path, &scratch->log), VKS_OK);
    assert_int_equal(file_writer_write(&writer, "new", 3), VKS_OK);
    file_writer_abort(&writer);
    expect_content(path, "old");
    assert_int_equal(count_names(scratch->dir), 1);
    free(path);
}

static void failed_replacement_removes_its_temporary(void **state) {
    struct scratch *scratch = *state;
    char *path = scratch_path(scratch, "folder"), *inner = scratch_path(scratch, "folder/inner");
    assert_int_equal(directory_create(inner, NULL), VKS_OK);
    assert_int_equal(file_replace(path, "x", 1, &scratch->log), VKS_ERR_IO);
    assert_non_null(strstr(scratch->text, path));
    assert_int_equal(count_names(scratch->dir), 1);
    free(inner);
    free(path);
}

static void full_disk_is_an_error(void **state) {
    struct scratch *scratch = *state;
    if (!file_exists("/dev/full"))
        skip();
    char *path = scratch_path(scratch, "a");
    struct file_writer writer;
    assert_int_equal(file_writer_open(&writer, path, &scratch->log), VKS_OK);
    FILE *original = writer.file;
    writer.file = fopen("/dev/full", "wb");
    assert_non_null(writer.file);
    assert_int_equal(file_writer_write(&writer, "x", 1), VKS_OK); // buffered
    assert_int_equal(file_writer_commit(&writer), VKS_ERR_IO);
    assert_non_null(strstr(scratch->text, strerror(ENOSPC)));
    assert_int_equal(count_names(scratch->dir), 0);
    fclose(original);
    free(path);
}

static void folders_are_made_with_their_parents(void **state) {
    struct scratch *scratch = *state;
    char *path = scratch_path(scratch, "x/y//z/");
    assert_int_equal(directory_create(path, &scratch->log), VKS_OK);
    assert_int_equal(directory_create(path, &scratch->log), VKS_OK);
    assert_true(file_exists(path));
    scratch_put(scratch, "x/file", "", 0);
    char *beneath = scratch_path(scratch, "x/file/sub");
    assert_int_equal(directory_create(beneath, &scratch->log), VKS_ERR_IO);
    assert_non_null(strstr(scratch->text, strerror(ENOTDIR)));
    free(beneath);
    free(path);
}

static void names_are_listed_in_order(void **state) {
    struct scratch *scratch = *state;
    static const char *const expected[] = {".hidden", "B", "a", "b"};
    scratch_put(scratch, "b", "", 0);
    scratch_put(scratch, "a", "", 0);
    scratch_put(scratch, "B", "", 0);
    scratch_put(scratch, ".hidden", "", 0);
    char **names;
    size_t num_names;
    assert_int_equal(directory_list(scratch->dir, NULL, &names, &num_names), VKS_OK);
    assert_int_equal(num_names, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(names[i], expected[i]);
    directory_list_free(&names, num_names);
}

#ifndef _WIN32
static void removal_does_not_follow_links(void **state) {
    struct scratch *scratch = *state;
    char *kept = scratch_path(scratch, "kept"), *gone = scratch_path(scratch, "gone");
    char *inner = scratch_path(scratch, "gone/deep/er"), *link = scratch_path(scratch, "gone/link");
    assert_int_equal(directory_create(kept, NULL), VKS_OK);
    assert_int_equal(directory_create(inner, NULL), VKS_OK);
    scratch_put(scratch, "kept/file", "kept", 4);
    scratch_put(scratch, "gone/deep/file", "gone", 4);
    assert_int_equal(symlink(kept, link), 0);
    assert_int_equal(directory_remove(gone, &scratch->log), VKS_OK);
    assert_false(file_exists(gone));
    assert_int_equal(count_names(kept), 1);
    assert_int_equal(directory_remove(gone, &scratch->log), VKS_OK);
    free(kept);
    free(gone);
    free(inner);
    free(link);
}

static void what_killed_writers_left_is_removed(void **state) {
    struct scratch *scratch = *state;
    static const char *const kept[] = {"a", "a.tmp-1", "a.tmp-1-", "a.tmp-x-1", "a.tmp-1-2.txt"};
    static const char *const left[] = {"a.tmp-1-2", "model.safetensors.tmp-4711-0"};
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        scratch_put(scratch, kept[i], "x", 1);
    for (size_t i = 0; i < COUNT_OF(left); i++)
        scratch_put(scratch, left[i], "x", 1);
    directory_remove_temporaries(scratch->dir, &scratch->log);
    assert_int_equal(scratch->num_messages, 0);
    assert_int_equal(count_names(scratch->dir), COUNT_OF(kept));
    for (size_t i = 0; i < COUNT_OF(kept); i++) {
        char *path = scratch_path(scratch, kept[i]);
        assert_true(file_exists(path));
        free(path);
    }
}

static void locked_folder_is_refused_with_its_pid(void **state) {
    struct scratch *scratch = *state;
    struct lock lock = {0};
    assert_int_equal(lock_acquire(scratch->dir, &scratch->log, &lock), VKS_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct lock other = {0};
        enum vks_status status = lock_acquire(scratch->dir, &scratch->log, &other);
        char pid_text[32];
        snprintf(pid_text, sizeof pid_text, "PID %ld", (long)getppid());
        _exit(status == VKS_ERR_IO && !other.is_held && strstr(scratch->text, pid_text) &&
                      strstr(scratch->text, scratch->dir)
                  ? 0
                  : 1);
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    lock_release(&lock);
    lock_release(&lock);
    assert_int_equal(lock_acquire(scratch->dir, &scratch->log, &lock), VKS_OK);
    lock_release(&lock);
}
#endif

static void checksum_does_not_depend_on_the_pieces(void **state) {
    (void)state;
    unsigned char data[67];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 37 + 1);
    for (size_t cut = 0; cut <= sizeof data; cut++) {
        for (size_t second = cut; second <= sizeof data; second++) {
            struct hash64 hash;
            hash64_init(&hash);
            hash64_update(&hash, data, cut);
            hash64_update(&hash, data + cut, second - cut);
            hash64_update(&hash, data + second, sizeof data - second);
            assert_true(hash64_value(&hash) == hash64_of(data, sizeof data));
        }
    }
}

static void checksum_sees_every_bit_and_the_length(void **state) {
    (void)state;
    unsigned char data[24] = {0};
    for (size_t num_bytes = 0; num_bytes < sizeof data; num_bytes++) {
        uint64_t expected = hash64_of(data, num_bytes);
        assert_true(expected != hash64_of(data, num_bytes + 1));
        for (size_t bit = 0; bit < num_bytes * 8; bit++) {
            data[bit / 8] ^= (unsigned char)(1u << bit % 8);
            assert_true(expected != hash64_of(data, num_bytes));
            data[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
    }
}

// Stored training states carry these values.
static void checksum_values_are_fixed(void **state) {
    (void)state;
    assert_true(hash64_of("", 0) == UINT64_C(0x17fb89ee35ed72b0));
    assert_true(hash64_of("vkseq", 5) == UINT64_C(0x0ab41826f4ce883e));
    assert_true(hash64_of("0123456789abcdef", 16) == UINT64_C(0x72402ba04920d5af));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(replaced_file_reads_back),
        SCRATCH_TEST(large_file_and_exact_limit_are_read),
        SCRATCH_TEST(missing_file_error_names_path_and_reason),
        SCRATCH_TEST(writer_shows_nothing_before_commit),
        SCRATCH_TEST(aborted_writer_leaves_the_old_file),
        SCRATCH_TEST(failed_replacement_removes_its_temporary),
        SCRATCH_TEST(full_disk_is_an_error),
        SCRATCH_TEST(folders_are_made_with_their_parents),
        SCRATCH_TEST(names_are_listed_in_order),
#ifndef _WIN32
        SCRATCH_TEST(pipe_is_read_to_its_end),
        SCRATCH_TEST(removal_does_not_follow_links),
        SCRATCH_TEST(what_killed_writers_left_is_removed),
        SCRATCH_TEST(locked_folder_is_refused_with_its_pid),
#endif
        cmocka_unit_test(checksum_does_not_depend_on_the_pieces),
        cmocka_unit_test(checksum_sees_every_bit_and_the_length),
        cmocka_unit_test(checksum_values_are_fixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
