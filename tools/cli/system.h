// The calls of a command in which operating systems differ: system_posix.c and system_windows.c.
// Failures are told as POSIX does, by false and errno.
#ifndef CLI_SYSTEM_H
#define CLI_SYSTEM_H

#include <stdbool.h>
#include <stdio.h>

// What parts the folders of a list in an environment variable, and the names of a path.
#ifdef _WIN32
#define SYSTEM_LIST_SEPARATOR ';'
#define SYSTEM_PATH_SEPARATORS "/\\:"
#else
#define SYSTEM_LIST_SEPARATOR ':'
#define SYSTEM_PATH_SEPARATORS "/"
#endif

// First of all in main: streams carry UTF-8, and no file's line ends are translated.
void system_prepare(void);

// Seconds on a clock that only goes forward. Signal handlers may call it.
double system_now_s(void);

// Whether a stream is a terminal, on which a line can be rewritten.
bool system_is_terminal(FILE *file);

// Sets an environment variable for this process and the libraries that it loads.
void system_set_environment(const char *name, const char *value);

// Starts the program anew, with the process's arguments, and whatever the environment is now. Only
// returns if that cannot be done.
void system_restart(char **arguments);

// Makes handler get the signals that ask a program to stop. Where a signal is caught only once
// (Windows), handler calls this again.
void system_catch_stop(void (*handler)(int signal_number));

// Whether reading an open file would give bytes, or its end, without waiting.
bool system_can_read(int fd);
// Waits until what was written is on the disk.
bool system_sync(FILE *file);
// Gives a file another name, in place of the file that has it.
bool system_rename(const char *from, const char *to);

// The folder that the program's own file lies in, with / between names, allocated (free); NULL if
// it is not known.
char *system_program_folder(void);

bool system_make_folder(const char *path);
// Whether files can be made in a folder.
bool system_is_writable(const char *folder);

#endif
