// What the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput: it gives the bytes
// to a parser, and checks what must hold for any bytes. It may write files into the current folder.
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include "base/check.h"
#include "vkseq/base.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes);

static inline void fuzz_count_message(void *user, enum vks_log_level level, const char *text) {
    size_t *num_messages = user;
    CHECK(level == VKS_LOG_ERROR && text[0]);
    ++*num_messages;
}

// A log for errors only, which counts them.
static inline struct vks_log fuzz_log(size_t *num_messages) {
    *num_messages = 0;
    return (struct vks_log){fuzz_count_message, num_messages, VKS_LOG_ERROR};
}

// A failure is said once, and nothing else is.
static inline bool fuzz_is_ok(enum vks_status status, size_t num_messages) {
    CHECK(num_messages == (status != VKS_OK));
    return status == VKS_OK;
}

// The bytes and a NUL in a block of their own; owned by the caller (free).
static inline char *fuzz_text(const uint8_t *data, size_t num_bytes) {
    char *text = malloc(num_bytes + 1);
    CHECK(text);
    if (num_bytes)
        memcpy(text, data, num_bytes);
    text[num_bytes] = 0;
    return text;
}

#endif
