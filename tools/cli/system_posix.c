#include "system.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void system_prepare(void) {
}

double system_now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

bool system_is_terminal(FILE *file) {
    return isatty(fileno(file));
}

void system_set_environment(const char *name, const char *value) {
    setenv(name, value, 1);
}

void system_restart(char **arguments) {
    fflush(NULL);
    execv("/proc/self/exe", arguments);
}

void system_catch_stop(void (*handler)(int signal_number)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool system_can_read(int fd) {
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    return poll(&poll_fd, 1, 0) != 0;
}

bool system_sync(FILE *file) {
    return fsync(fileno(file)) == 0;
}

bool system_rename(const char *from, const char *to) {
    return rename(from, to) == 0;
}

char *system_program_folder(void) {
    char *path = realpath("/proc/self/exe", NULL), *name = path ? strrchr(path, '/') : NULL;
    if (name)
        *name = '\0';
    return path;
}

bool system_make_folder(const char *path) {
    return mkdir(path, 0777) == 0;
}

bool system_is_writable(const char *folder) {
    return access(folder, W_OK | X_OK) == 0;
}
