// Texts: a sentence a line, in UTF-8, plain or compressed by gzip.
#ifndef VKSEQ_TEXT_H
#define VKSEQ_TEXT_H

#include "vkseq/base.h"

#ifdef __cplusplus
extern "C" {
#endif

// Reads a text line by line.
struct vks_line_reader;

// path: a file, or "-" or "stdin" for standard input. What begins as gzip does is decompressed,
// also when several such files stand one behind the other; a name that ends with .gz promises it.
// log: borrowed while the reader lives. Errors: VKS_ERR_IO, VKS_ERR_OOM.
VKS_API VKS_MUST_CHECK enum vks_status
vks_line_reader_open(const char *path, const struct vks_log *log, struct vks_line_reader **reader);

// The next line without its end (LF or CRLF; the last line may lack it), NULL behind the last one;
// not ended by a NUL, and borrowed until the next call. A byte-order mark belongs to no line.
// Errors: VKS_ERR_IO; VKS_ERR_FORMAT for what is not UTF-8 or holds a NUL byte, and for compressed
// data that is damaged or ends early; VKS_ERR_OOM.
VKS_API VKS_MUST_CHECK enum vks_status vks_line_reader_next(struct vks_line_reader *reader,
                                                            const char **line, size_t *num_bytes);

// The number of the line that was read last, from 1 on.
VKS_API uint64_t vks_line_reader_line(const struct vks_line_reader *reader);
VKS_API void vks_line_reader_close(struct vks_line_reader **reader);

// Whether a path means standard input.
VKS_API bool vks_is_stdin(const char *path);

// A corpus of parallel text. Paths as for vks_line_reader_open; line i of one file belongs to line
// i of the others.
struct vks_text_set {
    const char *source, *target;
    uint32_t num_fields;    // above 0: target is NULL, and each line of source has so many fields
                            // with tabs between them: source, target and others
    const char *weights;    // of lines or of their target tokens; NULL: all weigh 1
    uint32_t weights_field; // above 0: the weights are this field, counted from 0
    const char *alignments; // of lines' pieces, as in 0-0 1-2; NULL: none
    uint32_t alignments_field; // above 0: the alignments are this field
    double ratio;              // of an epoch's pairs, if any set has one; 0 for all: each pair once
};

#ifdef __cplusplus
}
#endif
#endif
