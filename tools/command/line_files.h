// Text a line at a time: input in blocks, output that appears when it is whole.
#ifndef COMMAND_LINE_FILES_H
#define COMMAND_LINE_FILES_H

#include "console.h"

// Zero-initialised is closed.
struct line_input {
    const char *name; // for messages; borrowed
    struct console *console;
    int fd;
    bool is_open, is_at_end;
    bool is_past_mark;           // there is no byte-order mark, or it was dropped
    bool is_prompt;              // line_input_read does not wait for more lines
    char *buffer;                // owned
    size_t capacity, begin, end; // unread bytes are [begin, end)
    size_t scanned;              // there is no newline in [begin, scanned)
    uint64_t num_lines;          // read so far
};

// Owned by the caller: line_block_free. Zero-initialised has no lines.
struct line_block {
    char **lines; // UTF-8 as it came, without end-of-line; NUL-terminated
    size_t num;
};

// "-" is stdin. path and console are borrowed. What fails is reported.
VKS_MUST_CHECK enum vks_status line_input_open(struct line_input *input, const char *path,
                                               struct console *console);
// The next lines, at most max_lines, fewer at the end, none behind it. A prompt input gives what
// there is as soon as more would have to be waited for.
// Lines end with LF or CRLF, the last one also without; a byte-order mark before the first is
// dropped. Errors: VKS_ERR_IO, VKS_ERR_FORMAT for what is not UTF-8 or holds a NUL byte,
// VKS_ERR_OOM; reported.
VKS_MUST_CHECK enum vks_status line_input_read(struct line_input *input, size_t max_lines,
                                               struct line_block *block);
void line_input_close(struct line_input *input);
void line_block_free(struct line_block *block);

// All lines of a file.
VKS_MUST_CHECK enum vks_status read_all_lines(const char *path, struct console *console,
                                              struct line_block *block);

// All lines of a text as vkseq/text.h reads it. field: above 0, the one that is taken of each
// line's fields with tabs between them, counted from 1.
VKS_MUST_CHECK enum vks_status read_text_lines(const char *path, uint32_t field,
                                               struct console *console, struct line_block *block);

// Whether a path leads to something that cannot be read twice, such as a pipe.
bool is_stream(const char *path);

// Lines of a regular file, all of them checked; *is_regular is false, and *num_lines 0, for pipes
// and the like, whose lines cannot be read beforehand. Errors: as line_input_read; reported.
VKS_MUST_CHECK enum vks_status count_file_lines(const char *path, struct console *console,
                                                bool *is_regular, uint64_t *num_lines);
// The same for the source of a pair of files, and reports a pair with different numbers of lines
// where these can be counted.
VKS_MUST_CHECK enum vks_status check_parallel(const char *source, const char *target,
                                              struct console *console, bool *is_regular,
                                              uint64_t *num_lines);

// Zero-initialised is closed.
struct line_output {
    const char *path;   // borrowed
    char *partial_path; // owned; NULL if what is written appears at once
    struct console *console;
    FILE *file;
};

// "-" is stdout. A regular file is written as PATH.partial until line_output_close. path and
// console are borrowed. What fails is reported.
VKS_MUST_CHECK enum vks_status line_output_open(struct line_output *output, const char *path,
                                                struct console *console);
VKS_MUST_CHECK enum vks_status line_output_flush(struct line_output *output);
// status: how the work went; the file takes its name only after VKS_OK, else PATH.partial stays,
// unless it is empty. Returns status, or what went wrong in closing. No effect on a closed output.
VKS_MUST_CHECK enum vks_status line_output_close(struct line_output *output,
                                                 enum vks_status status);

#endif
