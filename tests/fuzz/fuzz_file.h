// Bytes as a file that has a path, for parsers that open one.
#ifndef TESTS_FUZZ_FILE_H
#define TESTS_FUZZ_FILE_H

#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

struct fuzz_file {
    int fd;
    char path[32];
};

static inline struct fuzz_file fuzz_file_create(const uint8_t *data, size_t num_bytes) {
    struct fuzz_file file = {.fd = memfd_create("fuzz", MFD_CLOEXEC)};
    CHECK(file.fd >= 0 && write(file.fd, data, num_bytes) == (ssize_t)num_bytes);
    snprintf(file.path, sizeof file.path, "/proc/self/fd/%d", file.fd);
    return file;
}

static inline void fuzz_file_finish(struct fuzz_file *file) {
    close(file->fd);
}

#endif
