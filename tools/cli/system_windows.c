#include "system.h"

#include <direct.h>
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <windows.h>

// The command's manifest makes UTF-8 the encoding of paths and arguments; the console's is apart.
void system_prepare(void) {
    _fmode = _O_BINARY;
    _setmode(STDIN_FILENO, _O_BINARY);
    _setmode(STDOUT_FILENO, _O_BINARY);
    _setmode(STDERR_FILENO, _O_BINARY);
    SetConsoleOutputCP(CP_UTF8);
    SetConsoleCP(CP_UTF8);
}

double system_now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// Only a console that understands escape sequences can rewrite a line.
bool system_is_terminal(FILE *file) {
    HANDLE handle = (HANDLE)_get_osfhandle(_fileno(file));
    DWORD mode;
    return GetConsoleMode(handle, &mode) &&
           SetConsoleMode(handle, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
}

void system_set_environment(const char *name, const char *value) {
    _putenv_s(name, value);
}

// A process of the same name would not be this one to who waits for it.
void system_restart(char **arguments) {
    (void)arguments;
}

void system_catch_stop(void (*handler)(int signal_number)) {
    signal(SIGINT, handler);
    signal(SIGBREAK, handler);
    signal(SIGTERM, handler);
}

bool system_can_read(int fd) {
    HANDLE handle = (HANDLE)_get_osfhandle(fd);
    DWORD num_bytes = 0;
    if (GetFileType(handle) == FILE_TYPE_PIPE)
        return !PeekNamedPipe(handle, NULL, 0, NULL, &num_bytes, NULL) || num_bytes > 0;
    return GetFileType(handle) == FILE_TYPE_DISK;
}

bool system_sync(FILE *file) {
    return _commit(_fileno(file)) == 0;
}

bool system_rename(const char *from, const char *to) {
    if (MoveFileExA(from, to, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH))
        return true;
    errno = GetLastError() == ERROR_DISK_FULL ? ENOSPC : EACCES;
    return false;
}

char *system_program_folder(void) {
    char path[4 * MAX_PATH];
    DWORD length = GetModuleFileNameA(NULL, path, sizeof path);
    if (length == 0 || length == sizeof path)
        return NULL;
    for (char *c = path; *c; c++)
        if (*c == '\\')
            *c = '/';
    char *name = strrchr(path, '/');
    if (name)
        *name = '\0';
    return strdup(path);
}

bool system_make_folder(const char *path) {
    return _mkdir(path) == 0;
}

bool system_is_writable(const char *folder) {
    return _access(folder, W_OK) == 0;
}
