// What a folder holds, kept in memory: to put it back as it was, and to compare.
#ifndef TESTS_SNAPSHOT_H
#define TESTS_SNAPSHOT_H

#include <stddef.h>

enum { SNAPSHOT_MAX_FILES = 64 };

struct snapshot_file {
    char path[256]; // under the folder
    unsigned char *data;
    size_t num_bytes;
};

struct snapshot {
    struct snapshot_file files[SNAPSHOT_MAX_FILES];
    size_t num_files;
};

// All files under a folder, and in its folders.
void snapshot_take(const char *folder, struct snapshot *snapshot);
// Makes the folder hold these files and nothing else.
void snapshot_restore(const struct snapshot *snapshot, const char *folder);
// NULL when there is none of the path.
const struct snapshot_file *snapshot_find(const struct snapshot *snapshot, const char *path);
void snapshot_finish(struct snapshot *snapshot);

#endif
