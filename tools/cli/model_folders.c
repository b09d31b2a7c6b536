#include "model_folders.h"

#include "folders.h"
#include "system.h"

#include <stdlib.h>
#include <string.h>

enum { NUM_UNLISTED = 3 };

char *model_folder_of_user(void) {
    return user_folder("XDG_DATA_HOME", ".local/share", "vkseq/models");
}

// Of a path seen from the program's folder.
static char *beside_program(const char *path) {
    char *folder = system_program_folder();
    while (folder && strncmp(path, "../", 3) == 0) {
        char *name = strrchr(folder, '/');
        if (name)
            *name = '\0';
        path += 3;
    }
    char *result = folder ? path_append(folder, path) : NULL;
    free(folder);
    return result;
}

// Takes the path.
static void add(char **folders, char *path) {
    while (*folders)
        folders++;
    *folders = path;
}

static void add_listed(char **folders, const char *list) {
    static const char parting[] = {SYSTEM_LIST_SEPARATOR, '\0'};
    while (*list) {
        size_t length = strcspn(list, parting);
        char *folder = length > 0 ? calloc(length + 1, 1) : NULL;
        if (folder)
            add(folders, memcpy(folder, list, length));
        list += length + (list[length] != '\0');
    }
}

char **model_folders(void) {
    const char *list = getenv("VKSEQ_MODEL_PATH");
    size_t num_listed = 1;
    for (const char *c = list; c && *c; c++)
        num_listed += *c == SYSTEM_LIST_SEPARATOR;
    char **folders = calloc(num_listed + NUM_UNLISTED + 1, sizeof *folders);
    if (!folders)
        return NULL;
    if (list)
        add_listed(folders, list);
    add(folders, model_folder_of_user());
    add(folders, beside_program(VKSEQ_DATA_FROM_PROGRAM "/vkseq/models"));
    char *of_tree = beside_program("../../samples/models"); // from build/PRESET
    if (of_tree && folder_exists(of_tree))
        add(folders, of_tree);
    else
        free(of_tree);
    return folders;
}

void model_folders_free(char **folders) {
    for (size_t i = 0; folders && folders[i]; i++)
        free(folders[i]);
    free(folders);
}

bool model_is_name(const char *text) {
    return *text && !strpbrk(text, SYSTEM_PATH_SEPARATORS);
}

char *model_folders_find(char *const *folders, const char *name) {
    for (; *folders; folders++) {
        char *path = path_append(*folders, name);
        if (path && folder_exists(path))
            return path;
        free(path);
    }
    return NULL;
}
