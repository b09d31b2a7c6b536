#include "document/po_calls.h"

#include "base/log.h"
#include "base/memory.h"
#include "io/files.h"
#include "io/temporary_file.h"

#include <errno.h>
#include <setjmp.h>

#define MAX_BYTES ((size_t)1 << 31)

// A call under way.
struct call {
    const struct vks_log *log; // NULL: failures are only remembered
    const char *name;          // of the file, for messages
    po_message_t message;      // the only one whose errors count; NULL: all do
    bool has_failed;
    jmp_buf fatal;
};

// libgettextpo's handlers get no pointer of their caller's, so that there is no other way to it.
static _Thread_local struct call *under_way;

static void report(int severity, po_message_t message, size_t line, const char *text) {
    struct call *call = under_way;
    bool counts = severity != PO_SEVERITY_WARNING && (!call->message || call->message == message);
    int num_chars = (int)strcspn(text, "\n");
    if (counts && !call->has_failed && call->log) {
        if (line > 0 && line != SIZE_MAX)
            log_error(call->log, "%s:%zu: %.*s", call->name, line, num_chars, text);
        else
            log_error(call->log, "%s: %.*s", call->name, num_chars, text);
    }
    call->has_failed |= counts;
    if (severity == PO_SEVERITY_FATAL_ERROR)
        longjmp(call->fatal, 1);
}

static void handle(int severity, po_message_t message, const char *file, size_t line, size_t column,
                   int is_long, const char *text) {
    (void)column, (void)is_long;
    report(severity, message, file ? line : 0, text);
}

// Of two messages, as of those with one msgid, the first one named is where the fault is.
static void handle_two(int severity, po_message_t message, const char *file, size_t line,
                       size_t column, int is_long, const char *text, po_message_t other,
                       const char *other_file, size_t other_line, size_t other_column,
                       int other_is_long, const char *other_text) {
    (void)column, (void)is_long, (void)other, (void)other_file, (void)other_line;
    (void)other_column, (void)other_is_long, (void)other_text;
    report(severity, message, file ? line : 0, text);
}

static const struct po_xerror_handler handler = {handle, handle_two};

static po_file_t read_path(const char *path, struct call *call) {
    under_way = call;
    if (setjmp(call->fatal) != 0)
        return NULL;
    return po_file_read(path, &handler);
}

enum vks_status po_read(const char *bytes, size_t num_bytes, const char *name,
                        const struct vks_log *log, po_file_t *file) {
    struct call call = {.log = log, .name = name};
    char *path;
    TRY(temporary_file_create(bytes, num_bytes, log, &path));
    po_file_t read = read_path(path, &call);
    if (!read && !call.has_failed)
        log_error(log, "%s: cannot be read: %s", path, strerror(errno));
    temporary_file_remove(&path);
    if (!read)
        return call.has_failed ? VKS_ERR_FORMAT : VKS_ERR_IO;
    if (call.has_failed) {
        po_file_free(read);
        return VKS_ERR_FORMAT;
    }
    *file = read;
    return VKS_OK;
}

static bool write_path(po_file_t file, const char *path, struct call *call) {
    under_way = call;
    if (setjmp(call->fatal) != 0)
        return false;
    return po_file_write(file, path, &handler);
}

enum vks_status po_write(po_file_t file, const char *name, const struct vks_log *log,
                         struct text_buffer *buffer) {
    struct call call = {.log = log, .name = name};
    unsigned char *bytes;
    size_t num_bytes;
    char *path;
    TRY(temporary_file_create("", 0, log, &path));
    enum vks_status status =
        write_path(file, path, &call) && !call.has_failed ? VKS_OK : VKS_ERR_IO;
    if (status == VKS_OK)
        status = file_read(path, MAX_BYTES, log, &bytes, &num_bytes);
    else if (!call.has_failed)
        log_error(log, "%s: cannot be written: %s", path, strerror(errno));
    temporary_file_remove(&path);
    if (status != VKS_OK)
        return status;
    text_append(buffer, (char *)bytes, num_bytes);
    free(bytes);
    return VKS_OK;
}

bool po_is_sound(po_message_t message, po_message_iterator_t iterator) {
    struct call call = {.message = message};
    under_way = &call;
    if (setjmp(call.fatal) != 0)
        return false;
    if (po_message_msgid_plural(message)) // which forms may lack a number is said in the header
        po_message_check_all(message, iterator, &handler);
    else
        po_message_check_format(message, &handler);
    return !call.has_failed;
}
