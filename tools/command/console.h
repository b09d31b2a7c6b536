// Messages for people on stderr, and in a file where one is wanted. Lines and the progress line
// keep out of each other's way.
#ifndef COMMAND_CONSOLE_H
#define COMMAND_CONSOLE_H

#include "cli/progress.h"
#include "vkseq/base.h"

#include <pthread.h>

struct console {
    struct vks_log log; // what library objects get; read-only
    const char *name;   // "vkseq translate"; begins each line unless lines have time stamps
    bool has_stamps, is_quiet;
    FILE *file; // --log; NULL: none
    bool has_error, mutes_errors;
    struct progress progress;
    pthread_mutex_t mutex; // of all the above
};

// With stamps: lines as in Marian's log, from VKS_LOG_INFO on, "[2026-05-23 12:02:59] text".
// Without: warnings and errors, "NAME: text". is_quiet: errors only. name is borrowed.
void console_init(struct console *console, const char *name, bool has_stamps, bool is_quiet);
// Adds all lines to a file, is_quiet or not. False, with a message, if it cannot be opened.
bool console_open_file(struct console *console, const char *path);
void console_finish(struct console *console);

void console_error(struct console *console, const char *fmt, ...) VKS_PRINTF(2, 3);
void console_info(struct console *console, const char *fmt, ...) VKS_PRINTF(2, 3);
bool console_has_error(struct console *console);
// Errors are dropped from now on, or are told again: for what is tried, and may fail.
void console_mute_errors(struct console *console, bool is_muted);

// A progress line on stderr; elsewhere than on a terminal only if is_log, and never when quiet.
// label, unit, num_total: as in cli/progress.h.
void console_begin_progress(struct console *console, const char *label, const char *unit,
                            uint64_t num_total, bool is_log);
void console_update_progress(struct console *console, uint64_t num_done);
void console_end_progress(struct console *console);

#endif
