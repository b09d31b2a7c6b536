#include "stop_signal.h"

#include "cli/system.h"

#include <signal.h>
#include <stdlib.h>

#define NEXT_SIGNAL_S 1.0

// There is no other way to reach a signal handler.
static volatile sig_atomic_t first_signal;
static volatile double first_time_s;

static void handle_signal(int signal_number) {
    double now_s = system_now_s();
    if (!first_signal)
        first_time_s = now_s;
    else if (now_s - first_time_s > NEXT_SIGNAL_S)
        _Exit(130);
    first_signal = signal_number;
    system_catch_stop(handle_signal);
}

void stop_signal_catch(void) {
    system_catch_stop(handle_signal);
}

int stop_signal(void) {
    return first_signal;
}
