// Light and dark: as the desktop says, or as was chosen.
#ifndef DESKTOP_THEME_H
#define DESKTOP_THEME_H

#include "settings.h"

struct theme_switch;

// changed: whether colours are dark may have changed; may be NULL.
struct theme_switch *theme_switch_create(enum theme theme, void (*changed)(void *user), void *user);
void theme_switch_destroy(struct theme_switch **theme_switch);

void theme_switch_set(struct theme_switch *theme_switch, enum theme theme);
// Whether what is shown is dark now.
bool theme_switch_is_dark(const struct theme_switch *theme_switch);

#endif
