// Functions of POSIX that tests use and mingw-w64 lacks; CMake puts this before every test's source
// on Windows.
#ifndef TESTS_POSIX_WINDOWS_H
#define TESTS_POSIX_WINDOWS_H

int setenv(const char *name, const char *value, int replace);
int unsetenv(const char *name);
char *mkdtemp(char *path);

#endif
