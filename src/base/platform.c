#include "base/platform.h"

#include <stdlib.h>
#include <time.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <signal.h>
#include <unistd.h>
#endif

double platform_now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double platform_time_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

const char *platform_env(const char *name) {
    return getenv(name);
}

size_t platform_num_processors(void) {
#ifdef _WIN32
    long num = (long)GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
#else
    long num = sysconf(_SC_NPROCESSORS_ONLN);
#endif
    return num > 0 ? (size_t)num : 1;
}

void platform_kill(void) {
#ifdef _WIN32
    TerminateProcess(GetCurrentProcess(), 1);
#else
    raise(SIGKILL);
#endif
}
