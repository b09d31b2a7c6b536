#include "settings.h"

static const char *const theme_names[] = {"system", "light", "dark"};

static char *settings_path(void) {
    return g_build_filename(g_get_user_config_dir(), "vkseq", "translator.ini", NULL);
}

const char *theme_name(enum theme theme) {
    return theme_names[theme];
}

enum theme theme_of_name(const char *name) {
    for (int i = THEME_LIGHT; i <= THEME_DARK; i++)
        if (g_strcmp0(name, theme_names[i]) == 0)
            return i;
    return THEME_SYSTEM;
}

void settings_load(struct settings *settings) {
    GKeyFile *file = g_key_file_new();
    char *path = settings_path();
    *settings = (struct settings){0};
    if (g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL)) {
        char *theme = g_key_file_get_string(file, "window", "theme", NULL);
        settings->width = MAX(g_key_file_get_integer(file, "window", "width", NULL), 0);
        settings->height = MAX(g_key_file_get_integer(file, "window", "height", NULL), 0);
        settings->is_maximized = g_key_file_get_boolean(file, "window", "maximized", NULL);
        settings->theme = theme_of_name(theme);
        settings->model = g_key_file_get_string(file, "translation", "model", NULL);
        settings->device = g_key_file_get_string(file, "translation", "device", NULL);
        settings->more_models =
            g_key_file_get_string_list(file, "translation", "models", NULL, NULL);
        g_free(theme);
    }
    g_free(path);
    g_key_file_free(file);
}

void settings_save(const struct settings *settings) {
    GError *error = NULL;
    GKeyFile *file = g_key_file_new();
    char *path = settings_path(), *folder = g_path_get_dirname(path);
    g_key_file_set_integer(file, "window", "width", settings->width);
    g_key_file_set_integer(file, "window", "height", settings->height);
    g_key_file_set_boolean(file, "window", "maximized", settings->is_maximized);
    g_key_file_set_string(file, "window", "theme", theme_name(settings->theme));
    if (settings->model)
        g_key_file_set_string(file, "translation", "model", settings->model);
    if (settings->device)
        g_key_file_set_string(file, "translation", "device", settings->device);
    if (settings->more_models)
        g_key_file_set_string_list(file, "translation", "models",
                                   (const char *const *)settings->more_models,
                                   g_strv_length(settings->more_models));
    g_mkdir_with_parents(folder, 0700);
    if (!g_key_file_save_to_file(file, path, &error)) {
        g_warning("settings are not kept: %s", error->message);
        g_error_free(error);
    }
    g_free(folder);
    g_free(path);
    g_key_file_free(file);
}

void settings_finish(struct settings *settings) {
    g_free(settings->model);
    g_free(settings->device);
    g_strfreev(settings->more_models);
    *settings = (struct settings){0};
}

void settings_set_text(char **place, const char *text) {
    char *copy = g_strdup(text);
    g_free(*place);
    *place = copy;
}

void settings_add_model(struct settings *settings, const char *path) {
    guint num = settings->more_models ? g_strv_length(settings->more_models) : 0;
    if (num && g_strv_contains((const char *const *)settings->more_models, path))
        return;
    settings->more_models = g_renew(char *, settings->more_models, num + 2);
    settings->more_models[num] = g_strdup(path);
    settings->more_models[num + 1] = NULL;
}
