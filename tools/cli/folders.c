#include "folders.h"

#include "system.h"

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

bool folders_are_same(const char *a, const char *b) {
    struct stat info_a, info_b;
    if (stat(a, &info_a) != 0 || stat(b, &info_b) != 0)
        return false;
    // A system without inodes has zeros.
    return strcmp(a, b) == 0 ||
           (info_a.st_ino != 0 && info_a.st_ino == info_b.st_ino && info_a.st_dev == info_b.st_dev);
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

char *user_folder(const char *variable, const char *below_home, const char *name) {
    const char *base = getenv(variable);
    if (base && *base)
        return path_append(base, name);
    base = getenv("HOME");
    char *folder = base && *base ? path_append(base, below_home) : NULL;
    char *path = folder ? path_append(folder, name) : NULL;
    free(folder);
    return path;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(char **names, int num) {
    for (int i = 0; i < num; i++)
        free(names[i]);
    free(names);
}

// Adds a copy of the name; false when there is no memory.
static bool add_name(char ***names, int *num, const char *name) {
    char **grown = realloc(*names, ((size_t)*num + 1) * sizeof *grown);
    if (!grown)
        return false;
    *names = grown;
    grown[*num] = strdup(name);
    return grown[(*num)++] != NULL;
}

int folder_names(const char *folder, const char *prefix, char ***names) {
    char **list = NULL;
    int num = 0;
    bool has_failed = false;
    DIR *stream = opendir(folder);
    if (!stream)
        return -1;
    for (struct dirent *entry; !has_failed && (entry = readdir(stream));)
        if (!strncmp(entry->d_name, prefix, strlen(prefix)))
            has_failed = !add_name(&list, &num, entry->d_name);
    closedir(stream);
    if (has_failed) {
        free_names(list, num);
        errno = ENOMEM;
        return -1;
    }
    if (num > 0)
        qsort(list, (size_t)num, sizeof *list, compare_names);
    *names = list;
    return num;
}
