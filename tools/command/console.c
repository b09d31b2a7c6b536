#include "console.h"

#include "cli/system.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#define LINE_BYTES 4096

static const char *level_prefix(const struct console *console, enum vks_log_level level) {
    if (level == VKS_LOG_ERROR)
        return console->has_stamps ? "error: " : "";
    return level == VKS_LOG_WARN ? "warning: " : "";
}

static void print_line(const struct console *console, FILE *file, enum vks_log_level level,
                       const char *text) {
    if (console->has_stamps) {
        char stamp[32];
        time_t now = time(NULL);
        struct tm local;
        strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", localtime_r(&now, &local));
        fprintf(file, "[%s] %s%s\n", stamp, level_prefix(console, level), text);
    } else {
        fprintf(file, "%s: %s%s\n", console->name, level_prefix(console, level), text);
    }
    fflush(file);
}

static void write_log(void *user, enum vks_log_level level, const char *text) {
    struct console *console = user;
    pthread_mutex_lock(&console->mutex);
    bool is_told = level != VKS_LOG_ERROR || !console->mutes_errors;
    console->has_error |= level == VKS_LOG_ERROR && is_told;
    if (is_told && (!console->is_quiet || level == VKS_LOG_ERROR)) {
        progress_clear(&console->progress);
        print_line(console, stderr, level, text);
    }
    if (is_told && console->file)
        print_line(console, console->file, level, text);
    pthread_mutex_unlock(&console->mutex);
}

void console_init(struct console *console, const char *name, bool has_stamps, bool is_quiet) {
    *console = (struct console){
        .log = {write_log, console, has_stamps ? VKS_LOG_INFO : VKS_LOG_WARN},
        .name = name,
        .has_stamps = has_stamps,
        .is_quiet = is_quiet,
    };
    pthread_mutex_init(&console->mutex, NULL);
}

bool console_open_file(struct console *console, const char *path) {
    console->file = fopen(path, "a");
    if (!console->file)
        console_error(console, "%s: cannot be written: %s", path, strerror(errno));
    return console->file;
}

void console_finish(struct console *console) {
    if (console->file)
        fclose(console->file);
    console->file = NULL;
    pthread_mutex_destroy(&console->mutex);
}

static void write_formatted(struct console *console, enum vks_log_level level, const char *fmt,
                            va_list args) {
    char text[LINE_BYTES];
    if (level > console->log.level)
        return;
    vsnprintf(text, sizeof text, fmt, args);
    write_log(console, level, text);
}

void console_error(struct console *console, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    write_formatted(console, VKS_LOG_ERROR, fmt, args);
    va_end(args);
}

void console_info(struct console *console, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    write_formatted(console, VKS_LOG_INFO, fmt, args);
    va_end(args);
}

void console_mute_errors(struct console *console, bool is_muted) {
    pthread_mutex_lock(&console->mutex);
    console->mutes_errors = is_muted;
    pthread_mutex_unlock(&console->mutex);
}

bool console_has_error(struct console *console) {
    pthread_mutex_lock(&console->mutex);
    bool has_error = console->has_error;
    pthread_mutex_unlock(&console->mutex);
    return has_error;
}

void console_begin_progress(struct console *console, const char *label, const char *unit,
                            uint64_t num_total, bool is_log) {
    bool is_shown = !console->is_quiet && (is_log || system_is_terminal(stderr));
    pthread_mutex_lock(&console->mutex);
    progress_begin(&console->progress, is_shown ? stderr : NULL, label, unit, num_total);
    pthread_mutex_unlock(&console->mutex);
}

void console_update_progress(struct console *console, uint64_t num_done) {
    pthread_mutex_lock(&console->mutex);
    progress_update(&console->progress, num_done);
    pthread_mutex_unlock(&console->mutex);
}

void console_end_progress(struct console *console) {
    pthread_mutex_lock(&console->mutex);
    progress_end(&console->progress);
    pthread_mutex_unlock(&console->mutex);
}
