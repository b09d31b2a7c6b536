// Status codes, log and version: what every other vkseq header builds on.
#ifndef VKSEQ_BASE_H
#define VKSEQ_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VKS_VERSION_MAJOR 0
#define VKS_VERSION_MINOR 1
#define VKS_VERSION_PATCH 0
#define VKS_VERSION_STRING "0.1.0"

// name, text for people
#define VKS_STATUS_LIST(X)                                                                         \
    X(OK, "success")                                                                               \
    X(ERR_ARGUMENT, "bad argument")                                                                \
    X(ERR_IO, "input/output error")                                                                \
    X(ERR_FORMAT, "malformed input")                                                               \
    X(ERR_SHAPE, "shapes do not fit")                                                              \
    X(ERR_UNSUPPORTED, "not supported")                                                            \
    X(ERR_OOM, "out of memory")                                                                    \
    X(ERR_DEVICE_OOM, "out of device memory")                                                      \
    X(ERR_NO_DEVICE, "no usable Vulkan device")                                                    \
    X(ERR_DEVICE_LOST, "device lost")                                                              \
    X(ERR_CANCELLED, "cancelled")                                                                  \
    X(ERR_DIVERGED, "training diverged")

enum vks_status {
#define VKS_STATUS_ENUM(name, text) VKS_##name,
    VKS_STATUS_LIST(VKS_STATUS_ENUM)
#undef VKS_STATUS_ENUM
};

#if defined(__GNUC__)
#define VKS_MUST_CHECK __attribute__((warn_unused_result))
#define VKS_PRINTF(fmt_idx, arg_idx) __attribute__((format(printf, fmt_idx, arg_idx)))
#else
#define VKS_MUST_CHECK
#define VKS_PRINTF(fmt_idx, arg_idx)
#endif
#define VKS_API __attribute__((visibility("default")))

// "VKS_ERR_IO: input/output error" without the first part; never NULL.
VKS_API const char *vks_status_text(enum vks_status status);

enum vks_log_level { VKS_LOG_ERROR, VKS_LOG_WARN, VKS_LOG_INFO, VKS_LOG_DEBUG };

// Releases what a vkseq function allocated for its caller; NULL is fine.
VKS_API void vks_free(void *memory);

// Whether all of a text is UTF-8: no overlong forms, surrogates, or cut characters.
// Source: RFC 3629, section 4.
VKS_API bool vks_utf8_is_valid(const char *text, size_t num_bytes);

// Where messages for people go. Objects borrow the log they are created with until they are
// destroyed. A NULL log, or a NULL write, drops messages. write may be called from any thread,
// one call at a time is not guaranteed; text has no trailing newline.
struct vks_log {
    void (*write)(void *user, enum vks_log_level level, const char *text);
    void *user;
    enum vks_log_level level; // messages above this level are dropped
};

#ifdef __cplusplus
}
#endif
#endif
