// A text file cut into lines.
#ifndef DATA_LINES_H
#define DATA_LINES_H

#include "vkseq/base.h"

// Zero-initialised has no line.
struct lines {
    char *text;     // owned; a byte-order mark at its begin belongs to no line
    size_t *begins; // owned; [num + 1]; line i's end-of-line stands before begins[i + 1]
    size_t num;
};

// Reads a UTF-8 file; lines end with LF or CRLF, the last one also without.
// Errors: VKS_ERR_IO, VKS_ERR_FORMAT if it is not UTF-8, VKS_ERR_OOM.
VKS_MUST_CHECK enum vks_status lines_read(const char *path, const struct vks_log *log,
                                          struct lines *lines);
// The same for a text in memory, which is taken (free), also by a failure. name: what messages call
// the text.
VKS_MUST_CHECK enum vks_status lines_cut(char *text, size_t num_bytes, const char *name,
                                         const struct vks_log *log, struct lines *lines);
// A line without its end-of-line; borrowed until lines_finish, and not ended by a NUL.
const char *lines_get(const struct lines *lines, size_t line_idx, size_t *num_bytes);
void lines_finish(struct lines *lines);

#endif
