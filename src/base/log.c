#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *vks_status_text(enum vks_status status) {
    static const char *const text[] = {
#define STATUS_TEXT(name, words) [VKS_##name] = words,
        VKS_STATUS_LIST(STATUS_TEXT)
#undef STATUS_TEXT
    };
    if ((size_t)status >= sizeof text / sizeof text[0])
        return "unknown status";
    return text[status];
}

void log_write(const struct vks_log *log, enum vks_log_level level, const char *fmt, ...) {
    if (!log || !log->write || level > log->level)
        return;
    char text[2048];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    log->write(log->user, level, text);
}

void vks_free(void *memory) {
    free(memory);
}
