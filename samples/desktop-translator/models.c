#include "models.h"

#include "cli/model_folders.h"

#include <string.h>

bool model_is_folder(const char *path) {
    static const char *const endings[] = {".npz", ".safetensors", NULL};
    bool is_model = false;
    char *config = g_build_filename(path, "config.json", NULL);
    GDir *dir = g_dir_open(path, 0, NULL);
    if (dir) {
        is_model = g_file_test(config, G_FILE_TEST_IS_REGULAR);
        for (const char *name; !is_model && (name = g_dir_read_name(dir));)
            for (int i = 0; endings[i]; i++)
                is_model = is_model || g_str_has_suffix(name, endings[i]);
        g_dir_close(dir);
    }
    g_free(config);
    return is_model;
}

char *model_name(const char *path) {
    return g_path_get_basename(path);
}

static void add(GPtrArray *paths, const char *path) {
    char *canonical = g_canonicalize_filename(path, NULL);
    if (model_is_folder(canonical) &&
        !g_ptr_array_find_with_equal_func(paths, canonical, g_str_equal, NULL))
        g_ptr_array_add(paths, canonical);
    else
        g_free(canonical);
}

static int compare(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// Adds the models in a folder, by name.
static void add_all(GPtrArray *paths, const char *folder) {
    GDir *dir = g_dir_open(folder, 0, NULL);
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; dir && (name = g_dir_read_name(dir));)
        g_ptr_array_add(found, g_build_filename(folder, name, NULL));
    g_ptr_array_sort(found, compare);
    for (guint i = 0; i < found->len; i++)
        add(paths, found->pdata[i]);
    g_ptr_array_unref(found);
    g_clear_pointer(&dir, g_dir_close);
}

GPtrArray *models_find(const char *const *more) {
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    char **folders = model_folders();
    for (char **folder = folders; folder && *folder; folder++)
        add_all(paths, *folder);
    model_folders_free(folders);
    for (; more && *more; more++)
        add(paths, *more);
    return paths;
}

const char *model_of_other_direction(const GPtrArray *paths, const char *path) {
    const char *other = NULL;
    char *name = model_name(path);
    char **parts = g_strsplit(name, "-", 3);
    char *wanted =
        parts[0] && parts[1] ? g_strdup_printf("%s-%s", parts[1], parts[0]) : g_strdup("");
    for (guint i = 0; *wanted && !other && i < paths->len; i++) {
        char *candidate = model_name(paths->pdata[i]);
        size_t length = strlen(wanted);
        if (g_str_has_prefix(candidate, wanted) && strchr("-", candidate[length]))
            other = paths->pdata[i];
        g_free(candidate);
    }
    g_free(wanted);
    g_strfreev(parts);
    g_free(name);
    return other;
}
