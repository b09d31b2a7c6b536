#include "line_files.h"

#include "cli/system.h"
#include "vkseq/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIN_BUFFER_BYTES ((size_t)1 << 16)

static enum vks_status report_no_memory(struct console *console, const char *name) {
    console_error(console, "%s: out of memory", name);
    return VKS_ERR_OOM;
}

static enum vks_status report_unreadable(struct console *console, const char *name) {
    console_error(console, "%s: cannot be read: %s", name, strerror(errno));
    return VKS_ERR_IO;
}

// Input

enum vks_status line_input_open(struct line_input *input, const char *path,
                                struct console *console) {
    bool is_stdin = !strcmp(path, "-");
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY);
    if (fd < 0)
        return report_unreadable(console, path);
    *input = (struct line_input){
        .name = is_stdin ? "standard input" : path,
        .console = console,
        .fd = fd,
        .is_open = true,
    };
    return VKS_OK;
}

void line_input_close(struct line_input *input) {
    if (input->is_open && input->fd != STDIN_FILENO)
        close(input->fd);
    free(input->buffer);
    *input = (struct line_input){0};
}

// Moves the unread bytes to the front, and makes room behind them.
static bool make_room(struct line_input *input) {
    if (input->begin > 0) {
        memmove(input->buffer, input->buffer + input->begin, input->end - input->begin);
        input->end -= input->begin;
        input->scanned -= input->begin;
        input->begin = 0;
    }
    if (input->end < input->capacity)
        return true;
    size_t capacity = input->capacity ? 2 * input->capacity : MIN_BUFFER_BYTES;
    char *buffer = capacity > input->capacity ? realloc(input->buffer, capacity) : NULL;
    if (!buffer)
        return false;
    input->buffer = buffer;
    input->capacity = capacity;
    return true;
}

static enum vks_status read_more(struct line_input *input) {
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    if (!make_room(input))
        return report_no_memory(input->console, input->name);
    ssize_t num_bytes;
    do
        num_bytes = read(input->fd, input->buffer + input->end, input->capacity - input->end);
    while (num_bytes < 0 && errno == EINTR);
    if (num_bytes < 0)
        return report_unreadable(input->console, input->name);
    input->is_at_end = num_bytes == 0;
    input->end += (size_t)num_bytes;
    if (!input->is_past_mark && input->num_lines == 0 && input->end >= 3) {
        input->is_past_mark = true;
        if (!memcmp(input->buffer, byte_order_mark, 3))
            input->begin = input->scanned = 3;
    }
    return VKS_OK;
}

// Whether the line [begin, line_end) is text.
static enum vks_status check_line(const struct line_input *input, size_t line_end) {
    const char *text = input->buffer + input->begin, *fault = NULL;
    size_t num_bytes = line_end - input->begin;
    if (memchr(text, '\0', num_bytes))
        fault = "there is a NUL byte";
    else if (!vks_utf8_is_valid(text, num_bytes))
        fault = "not UTF-8";
    if (!fault)
        return VKS_OK;
    console_error(input->console, "%s:%" PRIu64 ": %s; expected text in UTF-8", input->name,
                  input->num_lines + 1, fault);
    return VKS_ERR_FORMAT;
}

static void skip_line(struct line_input *input, size_t line_end) {
    input->num_lines++;
    input->begin = line_end < input->end ? line_end + 1 : line_end;
    input->scanned = input->begin;
}

// Copies a line to the end of a block, which has room for *capacity lines. name: of the text.
static enum vks_status append_line(struct console *console, const char *name,
                                   struct line_block *block, size_t *capacity, const char *text,
                                   size_t num_bytes) {
    if (block->num == *capacity) {
        size_t grown = *capacity ? 2 * *capacity : 256;
        char **lines = realloc(block->lines, grown * sizeof *lines);
        if (!lines)
            return report_no_memory(console, name);
        block->lines = lines;
        *capacity = grown;
    }
    char *line = malloc(num_bytes + 1);
    if (!line)
        return report_no_memory(console, name);
    memcpy(line, text, num_bytes);
    line[num_bytes] = '\0';
    block->lines[block->num++] = line;
    return VKS_OK;
}

// Takes the line [begin, line_end) and what ends it into the block.
static enum vks_status take_line(struct line_input *input, size_t line_end,
                                 struct line_block *block, size_t *capacity) {
    const char *text = input->buffer + input->begin;
    size_t num_bytes = line_end - input->begin;
    enum vks_status status = check_line(input, line_end);
    if (status != VKS_OK)
        return status;
    if (num_bytes && text[num_bytes - 1] == '\r')
        num_bytes--;
    status = append_line(input->console, input->name, block, capacity, text, num_bytes);
    if (status == VKS_OK)
        skip_line(input, line_end);
    return status;
}

// Where the next line ends: at a newline, or at the end of the input. False if that is not read
// yet.
static bool find_line_end(struct line_input *input, size_t *line_end) {
    if (input->scanned < input->end) {
        const char *newline =
            memchr(input->buffer + input->scanned, '\n', input->end - input->scanned);
        input->scanned = newline ? (size_t)(newline - input->buffer) : input->end;
        if (newline) {
            *line_end = input->scanned;
            return true;
        }
    }
    *line_end = input->end;
    return input->is_at_end && input->begin < input->end;
}

enum vks_status line_input_read(struct line_input *input, size_t max_lines,
                                struct line_block *block) {
    struct line_block read = {0};
    size_t line_end, capacity = 0;
    enum vks_status status = VKS_OK;
    while (status == VKS_OK && read.num < max_lines) {
        if (find_line_end(input, &line_end)) {
            status = take_line(input, line_end, &read, &capacity);
        } else if (input->is_at_end ||
                   (input->is_prompt && read.num > 0 && !system_can_read(input->fd))) {
            break;
        } else {
            status = read_more(input);
        }
    }
    if (status == VKS_OK)
        *block = read;
    else
        line_block_free(&read);
    return status;
}

void line_block_free(struct line_block *block) {
    for (size_t i = 0; i < block->num; i++)
        free(block->lines[i]);
    free(block->lines);
    *block = (struct line_block){0};
}

enum vks_status read_all_lines(const char *path, struct console *console,
                               struct line_block *block) {
    struct line_input input;
    enum vks_status status = line_input_open(&input, path, console);
    if (status != VKS_OK)
        return status;
    status = line_input_read(&input, SIZE_MAX, block);
    line_input_close(&input);
    return status;
}

// Cuts a line down to a field.
static void cut_field(uint32_t field, const char **line, size_t *num_bytes) {
    const char *end = *line + *num_bytes, *tab;
    for (; field > 1; field--) {
        tab = memchr(*line, '\t', (size_t)(end - *line));
        *line = tab ? tab + 1 : end;
    }
    tab = field ? memchr(*line, '\t', (size_t)(end - *line)) : NULL;
    *num_bytes = (size_t)((tab ? tab : end) - *line);
}

enum vks_status read_text_lines(const char *path, uint32_t field, struct console *console,
                                struct line_block *block) {
    struct vks_line_reader *reader;
    struct line_block read = {0};
    size_t capacity = 0, num_bytes;
    const char *line = "";
    enum vks_status status = vks_line_reader_open(path, &console->log, &reader);
    if (status != VKS_OK)
        return status;
    while (status == VKS_OK && line) {
        status = vks_line_reader_next(reader, &line, &num_bytes);
        if (status != VKS_OK || !line)
            break;
        cut_field(field, &line, &num_bytes);
        status = append_line(console, path, &read, &capacity, line, num_bytes);
    }
    vks_line_reader_close(&reader);
    if (status == VKS_OK)
        *block = read;
    else
        line_block_free(&read);
    return status;
}

bool is_stream(const char *path) {
    struct stat info;
    return !strcmp(path, "-") ||
           (stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode));
}

// Counting

static enum vks_status count_lines(struct line_input *input) {
    enum vks_status status = VKS_OK;
    size_t line_end;
    while (status == VKS_OK) {
        if (!find_line_end(input, &line_end)) {
            if (input->is_at_end)
                break;
            status = read_more(input);
            continue;
        }
        status = check_line(input, line_end);
        if (status == VKS_OK)
            skip_line(input, line_end);
    }
    return status;
}

enum vks_status count_file_lines(const char *path, struct console *console, bool *is_regular,
                                 uint64_t *num_lines) {
    struct stat info;
    *is_regular = false;
    *num_lines = 0;
    if (!strcmp(path, "-"))
        return VKS_OK;
    bool is_found = stat(path, &info) == 0;
    if (is_found && S_ISDIR(info.st_mode))
        errno = EISDIR;
    if (!is_found || S_ISDIR(info.st_mode))
        return report_unreadable(console, path);
    *is_regular = S_ISREG(info.st_mode);
    if (!*is_regular)
        return VKS_OK;
    struct line_input input;
    enum vks_status status = line_input_open(&input, path, console);
    if (status != VKS_OK)
        return status;
    status = count_lines(&input);
    if (status == VKS_OK)
        *num_lines = input.num_lines;
    line_input_close(&input);
    return status;
}

enum vks_status check_parallel(const char *source, const char *target, struct console *console,
                               bool *is_regular, uint64_t *num_lines) {
    bool is_target_regular;
    uint64_t num_target;
    enum vks_status status = count_file_lines(source, console, is_regular, num_lines);
    if (status == VKS_OK)
        status = count_file_lines(target, console, &is_target_regular, &num_target);
    if (status != VKS_OK || !*is_regular || !is_target_regular || *num_lines == num_target)
        return status;
    console_error(console,
                  "%s has %" PRIu64 " lines and %s has %" PRIu64 ": expected the same number",
                  source, *num_lines, target, num_target);
    return VKS_ERR_FORMAT;
}

// Output

static enum vks_status report_unwritable(struct console *console, const char *path) {
    console_error(console, "%s: cannot be written: %s", path, strerror(errno));
    return VKS_ERR_IO;
}

enum vks_status line_output_open(struct line_output *output, const char *path,
                                 struct console *console) {
    struct line_output opened = {.path = path, .console = console, .file = stdout};
    struct stat info;
    if (!strcmp(path, "-")) {
        opened.path = "standard output";
    } else if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
        opened.file = fopen(path, "w");
    } else {
        if (asprintf(&opened.partial_path, "%s.partial", path) < 0)
            return report_no_memory(console, path);
        opened.file = fopen(opened.partial_path, "w");
    }
    if (!opened.file) {
        free(opened.partial_path);
        return report_unwritable(console, path);
    }
    *output = opened;
    return VKS_OK;
}

enum vks_status line_output_flush(struct line_output *output) {
    if (fflush(output->file) == 0 && !ferror(output->file))
        return VKS_OK;
    return report_unwritable(output->console, output->path);
}

enum vks_status line_output_close(struct line_output *output, enum vks_status status) {
    if (!output->file)
        return status;
    if (status == VKS_OK)
        status = line_output_flush(output);
    if (output->partial_path && status == VKS_OK && !system_sync(output->file))
        status = report_unwritable(output->console, output->path);
    bool is_empty = output->partial_path && ftell(output->file) == 0;
    if (output->file != stdout && fclose(output->file) != 0 && status == VKS_OK)
        status = report_unwritable(output->console, output->path);
    if (output->partial_path && status == VKS_OK &&
        !system_rename(output->partial_path, output->path))
        status = report_unwritable(output->console, output->path);
    if (output->partial_path && status != VKS_OK && is_empty)
        unlink(output->partial_path);
    free(output->partial_path);
    *output = (struct line_output){0};
    return status;
}
