#include "support/snapshot.h"

#include "io/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static void take(const char *folder, const char *prefix, struct snapshot *snapshot) {
    char **names, path[1024];
    size_t num_names;
    assert_int_equal(directory_list(folder, NULL, &names, &num_names), VKS_OK);
    for (size_t i = 0; i < num_names; i++) {
        struct stat info;
        char relative[256];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        snprintf(relative, sizeof relative, "%s%s", prefix, names[i]);
        assert_int_equal(stat(path, &info), 0);
        if (S_ISDIR(info.st_mode)) {
            char below[258];
            snprintf(below, sizeof below, "%s/", relative);
            take(path, below, snapshot);
            continue;
        }
        assert_true(snapshot->num_files < SNAPSHOT_MAX_FILES);
        struct snapshot_file *file = &snapshot->files[snapshot->num_files++];
        memcpy(file->path, relative, sizeof relative);
        assert_int_equal(file_read(path, SIZE_MAX / 2, NULL, &file->data, &file->num_bytes),
                         VKS_OK);
    }
    directory_list_free(&names, num_names);
}

void snapshot_take(const char *folder, struct snapshot *snapshot) {
    memset(snapshot, 0, sizeof *snapshot);
    take(folder, "", snapshot);
}

void snapshot_restore(const struct snapshot *snapshot, const char *folder) {
    assert_int_equal(directory_remove(folder, NULL), VKS_OK);
    assert_int_equal(directory_create(folder, NULL), VKS_OK);
    for (size_t i = 0; i < snapshot->num_files; i++) {
        const struct snapshot_file *item = &snapshot->files[i];
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, item->path);
        char *slash = strrchr(path, '/');
        *slash = '\0';
        assert_int_equal(directory_create(path, NULL), VKS_OK);
        *slash = '/';
        FILE *file = fopen(path, "wb"); // without the syncs of file_replace
        assert_non_null(file);
        assert_int_equal(fwrite(item->data, 1, item->num_bytes, file), item->num_bytes);
        assert_int_equal(fclose(file), 0);
    }
}

const struct snapshot_file *snapshot_find(const struct snapshot *snapshot, const char *path) {
    for (size_t i = 0; i < snapshot->num_files; i++)
        if (strcmp(snapshot->files[i].path, path) == 0)
            return &snapshot->files[i];
    return NULL;
}

void snapshot_finish(struct snapshot *snapshot) {
    for (size_t i = 0; i < snapshot->num_files; i++)
        free(snapshot->files[i].data);
    snapshot->num_files = 0;
}
