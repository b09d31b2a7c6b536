#include "support/posix_windows.h"

#include <direct.h>
#include <io.h>
#include <stdlib.h>

int setenv(const char *name, const char *value, int replace) {
    return !replace && getenv(name) ? 0 : _putenv_s(name, value);
}

int unsetenv(const char *name) {
    return _putenv_s(name, "");
}

char *mkdtemp(char *path) {
    return _mktemp(path) && _mkdir(path) == 0 ? path : NULL;
}
