// Models by their names: the folders in which they are looked for.
#ifndef CLI_MODEL_FOLDERS_H
#define CLI_MODEL_FOLDERS_H

#include <stdbool.h>

// In the order in which they are searched: those of the list VKSEQ_MODEL_PATH, the user's own, that
// of the installation that the program belongs to, and samples/models of the source tree that it
// was built in, if it still lies there. The others need not exist. Ended by NULL and allocated
// (model_folders_free); NULL when there is no memory.
char **model_folders(void);
void model_folders_free(char **folders);

// ${XDG_DATA_HOME:-~/.local/share}/vkseq/models, allocated (free); NULL if the user has none.
char *model_folder_of_user(void);

// Whether a text can be a model's name, that of a folder: it is no path.
bool model_is_name(const char *text);
// The path of the first folder of a model's name in these folders, allocated (free); NULL: none.
char *model_folders_find(char *const *folders, const char *name);

#endif
