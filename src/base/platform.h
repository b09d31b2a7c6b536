// What every layer may ask of the operating system. Threads: base/thread.h. Files: src/io.
#ifndef BASE_PLATFORM_H
#define BASE_PLATFORM_H

#include <stddef.h>

// Seconds on a clock that only goes forward.
double platform_now_s(void);

// Seconds since 1970.
double platform_time_s(void);

// The value of an environment variable, NULL if it is not set. Valid until somebody sets one.
const char *platform_env(const char *name);

// Processors that threads of this process can run on, at least 1.
size_t platform_num_processors(void);

// Ends this process as a kill from outside does: nothing is flushed, no handler runs.
void platform_kill(void);

#endif
