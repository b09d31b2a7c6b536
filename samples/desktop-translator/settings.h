// What is remembered from one time to the next, in vkseq/translator.ini of the user's folder of
// settings.
#ifndef DESKTOP_SETTINGS_H
#define DESKTOP_SETTINGS_H

#include <glib.h>
#include <stdbool.h>

enum theme { THEME_SYSTEM, THEME_LIGHT, THEME_DARK };

struct settings {
    int width, height; // of the window; 0: not known
    bool is_maximized;
    enum theme theme;
    char *model;        // its folder; NULL: none was chosen
    char *device;       // its name and driver; NULL: none was chosen
    char **more_models; // folders that the user has added, ended by NULL; may be NULL
};

// What is missing or malformed stays zero.
void settings_load(struct settings *settings);
// A failure is only warned of: the window works without.
void settings_save(const struct settings *settings);
void settings_finish(struct settings *settings);

// Puts a copy of a text in the place of another, which is freed.
void settings_set_text(char **place, const char *text);
// Adds a folder, once.
void settings_add_model(struct settings *settings, const char *path);

// "system", "light", "dark".
const char *theme_name(enum theme theme);
enum theme theme_of_name(const char *name);

#endif
