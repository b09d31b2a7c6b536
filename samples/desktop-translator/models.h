// Where models are, and whether a folder is one.
#ifndef DESKTOP_MODELS_H
#define DESKTOP_MODELS_H

#include <glib.h>
#include <stdbool.h>

// Paths of models: of those in the folders in which the command looks for a model's name
// (cli/model_folders.h), in their order, and of those of `more`, which may be NULL. A folder that
// is no model, or listed already, is left out. The list owns its strings.
GPtrArray *models_find(const char *const *more);

// Whether a folder looks like a model: it has a configuration or weights that vkseq reads. Opening
// it tells whether it is one.
bool model_is_folder(const char *path);

// What a model is called: its folder's name. Owned by the caller (g_free).
char *model_name(const char *path);

// The model among paths that translates back: en-de-small's is one whose name begins with de-en.
// NULL: none.
const char *model_of_other_direction(const GPtrArray *paths, const char *path);

#endif
