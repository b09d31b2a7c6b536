// Messages for people: written once, where the failure is known.
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "vkseq/base.h"

void log_write(const struct vks_log *log, enum vks_log_level level, const char *fmt, ...)
    VKS_PRINTF(3, 4);

#define log_error(log, ...) log_write(log, VKS_LOG_ERROR, __VA_ARGS__)
#define log_warn(log, ...) log_write(log, VKS_LOG_WARN, __VA_ARGS__)
#define log_info(log, ...) log_write(log, VKS_LOG_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_write(log, VKS_LOG_DEBUG, __VA_ARGS__)

// Returns the status from the enclosing function if it is not VKS_OK.
#define TRY(call)                                                                                  \
    do {                                                                                           \
        enum vks_status try_status_ = (call);                                                      \
        if (try_status_ != VKS_OK)                                                                 \
            return try_status_;                                                                    \
    } while (0)

// Stores the status in `status` and jumps to `label` if it is not VKS_OK.
#define TRY_GOTO(status, call, label)                                                              \
    do {                                                                                           \
        (status) = (call);                                                                         \
        if ((status) != VKS_OK)                                                                    \
            goto label;                                                                            \
    } while (0)

#endif
