// For tests that touch the disk: a folder of their own, and a log that remembers its last words.
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include "io/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct scratch {
    char dir[256];
    char text[2048]; // of the last message
    int num_messages;
    struct vks_log log;
};

static inline void scratch_write_log(void *user, enum vks_log_level level, const char *text) {
    struct scratch *scratch = user;
    (void)level;
    scratch->num_messages++;
    snprintf(scratch->text, sizeof scratch->text, "%s", text);
}

// cmocka set-up and tear-down; *state is the struct scratch.
static inline int scratch_create(void **state) {
    struct scratch *scratch = calloc(1, sizeof *scratch);
    assert_non_null(scratch);
    const char *parent = getenv("TMPDIR");
    // No other program has this PID now, and no other scratch of this one this address.
    snprintf(scratch->dir, sizeof scratch->dir, "%s/vkseq-test-%ld-%p", parent ? parent : P_tmpdir,
             (long)getpid(), (void *)scratch);
    assert_int_equal(directory_remove(scratch->dir, NULL), VKS_OK);
    assert_int_equal(directory_create(scratch->dir, NULL), VKS_OK);
    scratch->log = (struct vks_log){scratch_write_log, scratch, VKS_LOG_INFO};
    *state = scratch;
    return 0;
}

static inline int scratch_destroy(void **state) {
    struct scratch *scratch = *state;
    assert_int_equal(directory_remove(scratch->dir, NULL), VKS_OK);
    free(scratch);
    return 0;
}

// Path of a name in the folder; owned by the caller (free).
static inline char *scratch_path(const struct scratch *scratch, const char *name) {
    char *path = path_join(scratch->dir, name);
    assert_non_null(path);
    return path;
}

static inline void scratch_put(const struct scratch *scratch, const char *name, const void *data,
                               size_t num_bytes) {
    char *path = scratch_path(scratch, name);
    assert_int_equal(file_replace(path, data, num_bytes, &scratch->log), VKS_OK);
    free(path);
}

#define SCRATCH_TEST(function)                                                                     \
    cmocka_unit_test_setup_teardown(function, scratch_create, scratch_destroy)

#endif
