#include "folders.h"

#include "cli/system.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *path_append(const char *folder, const char *name) {
    char *path = NULL;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

bool folder_exists(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool folder_has(const char *folder, const char *name) {
    char *path = path_append(folder, name);
    bool exists = path && access(path, F_OK) == 0;
    free(path);
    return exists;
}

bool folder_create(const char *path) {
    char *part = strdup(path);
    if (!part)
        return false;
    for (char *slash = strchr(part + 1, '/'); *part && slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        system_make_folder(part); // the last one tells whether this worked
        *slash = '/';
    }
    free(part);
    if (system_make_folder(path) || (errno == EEXIST && folder_exists(path)))
        return true;
    if (errno == EEXIST)
        errno = ENOTDIR;
    return false;
}

char *cache_folder(void) {
    const char *base = getenv("XDG_CACHE_HOME");
    if (base && *base)
        return path_append(base, "vkseq");
    base = getenv("HOME");
    return base && *base ? path_append(base, ".cache/vkseq") : NULL;
}

int folder_names(const char *folder, const char *prefix, char ***names) {
    struct dirent **entries;
    int num_entries = scandir(folder, &entries, NULL, alphasort), num = 0;
    if (num_entries < 0)
        return -1;
    char **list = calloc((size_t)num_entries + 1, sizeof *list);
    bool has_failed = !list;
    for (int i = 0; i < num_entries; i++) {
        if (!has_failed && !strncmp(entries[i]->d_name, prefix, strlen(prefix))) {
            list[num] = strdup(entries[i]->d_name);
            has_failed = !list[num++];
        }
        free(entries[i]);
    }
    free(entries);
    if (!has_failed) {
        *names = list;
        return num;
    }
    for (int i = 0; i < num; i++)
        free(list[i]);
    free(list);
    errno = ENOMEM;
    return -1;
}
