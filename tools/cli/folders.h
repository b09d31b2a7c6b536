// Paths and folders.
#ifndef CLI_FOLDERS_H
#define CLI_FOLDERS_H

#include <stdbool.h>

// folder/name, allocated (free); NULL when there is no memory.
char *path_append(const char *folder, const char *name);

bool folder_exists(const char *path);
// Whether two paths lead to the same folder or file, which exists.
bool folders_are_same(const char *a, const char *b);
bool folder_has(const char *folder, const char *name);

// Names in a folder that begin with prefix, in order of their characters; *names and each name are
// allocated (free). -1 if the folder cannot be read; errno says why.
int folder_names(const char *folder, const char *prefix, char ***names);

// Makes a folder and those above it; one that exists is fine. False: errno says why not.
bool folder_create(const char *path);

// A folder of the user's, ${VARIABLE:-~/BELOW_HOME}/NAME, allocated (free); NULL if the user has
// none.
char *user_folder(const char *variable, const char *below_home, const char *name);

#endif
