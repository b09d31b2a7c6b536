// Lines of texts, plain or gzip. Public interface: vkseq/text.h.
#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/file_system.h"
#include "vkseq/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { INPUT_BYTES = 1 << 16, GZIP_WINDOW = 15 + 16 };

struct vks_line_reader {
    char *path; // owned; what messages call the text
    const struct vks_log *log;
    int fd;
    bool is_stdin, is_begun, is_gzip, is_in_member, is_at_end;
    z_stream gzip; // next_in, avail_in: what was read and not yet taken, also of plain text
    uint64_t num_read;
    char *text; // owned; unread text is [begin, end), without a newline in [begin, scanned)
    size_t capacity, begin, end, scanned;
    uint64_t num_lines;
    unsigned char input[INPUT_BYTES];
};

bool vks_is_stdin(const char *path) {
    return !strcmp(path, "-") || !strcmp(path, "stdin");
}

static enum vks_status memory_error(const struct vks_log *log, const char *path) {
    log_error(log, "%s: out of memory", path);
    return VKS_ERR_OOM;
}

static enum vks_status io_error(const struct vks_log *log, const char *action, const char *path) {
    log_error(log, "%s: cannot %s: %s", path, action, strerror(errno));
    return VKS_ERR_IO;
}

enum vks_status vks_line_reader_open(const char *path, const struct vks_log *log,
                                     struct vks_line_reader **result) {
    struct vks_line_reader *reader = memory_calloc(1, sizeof *reader);
    if (!reader)
        return memory_error(log, path);
    reader->log = log;
    reader->is_stdin = vks_is_stdin(path);
    reader->path = memory_strdup(reader->is_stdin ? "standard input" : path);
    reader->fd = reader->is_stdin ? STDIN_FILENO : -1;
    enum vks_status status = reader->path ? VKS_OK : memory_error(log, path);
    if (status == VKS_OK && !reader->is_stdin) {
        reader->fd = fs_open(path, O_RDONLY);
        if (reader->fd < 0)
            status = io_error(log, "open", path);
    }
    if (status != VKS_OK)
        vks_line_reader_close(&reader);
    else
        *result = reader;
    return status;
}

void vks_line_reader_close(struct vks_line_reader **reader_ref) {
    struct vks_line_reader *reader = *reader_ref;
    if (!reader)
        return;
    if (reader->is_gzip)
        inflateEnd(&reader->gzip);
    if (reader->fd >= 0 && !reader->is_stdin)
        close(reader->fd);
    free(reader->path);
    free(reader->text);
    free(reader);
    *reader_ref = NULL;
}

uint64_t vks_line_reader_line(const struct vks_line_reader *reader) {
    return reader->num_lines;
}

// Reads on into the input, behind what is not yet taken of it.
static enum vks_status read_input(struct vks_line_reader *reader) {
    ssize_t num_bytes;
    memmove(reader->input, reader->gzip.next_in, reader->gzip.avail_in);
    reader->gzip.next_in = reader->input;
    size_t used = reader->gzip.avail_in;
    do
        num_bytes = read(reader->fd, reader->input + used, INPUT_BYTES - used);
    while (num_bytes < 0 && errno == EINTR);
    if (num_bytes < 0)
        return io_error(reader->log, "read", reader->path);
    reader->is_at_end = num_bytes == 0;
    reader->num_read += (uint64_t)num_bytes;
    reader->gzip.avail_in += (uInt)num_bytes;
    return VKS_OK;
}

// Reads until the next two bytes are there, or the end is, and says whether they begin a gzip file.
static enum vks_status look_for_magic(struct vks_line_reader *reader, bool *is_found) {
    while (reader->gzip.avail_in < 2 && !reader->is_at_end)
        TRY(read_input(reader));
    const unsigned char *next = reader->gzip.next_in;
    *is_found = reader->gzip.avail_in >= 2 && next[0] == 0x1F && next[1] == 0x8B;
    return VKS_OK;
}

static voidpf allocate(voidpf opaque, uInt num, uInt item_bytes) {
    (void)opaque;
    return memory_calloc(num, item_bytes);
}

static void release(voidpf opaque, voidpf memory) {
    (void)opaque;
    free(memory);
}

static enum vks_status begin(struct vks_line_reader *reader) {
    size_t num_chars = strlen(reader->path);
    bool is_named_gzip = num_chars > 3 && !strcmp(reader->path + num_chars - 3, ".gz");
    bool is_gzip;
    reader->is_begun = true;
    reader->gzip = (z_stream){.next_in = reader->input, .zalloc = allocate, .zfree = release};
    TRY(look_for_magic(reader, &is_gzip));
    if (is_named_gzip && !is_gzip) {
        log_error(reader->log, "%s: it does not begin as gzip data does, which its name promises",
                  reader->path);
        return VKS_ERR_FORMAT;
    }
    if (!is_gzip)
        return VKS_OK;
    if (inflateInit2(&reader->gzip, GZIP_WINDOW) != Z_OK)
        return memory_error(reader->log, reader->path);
    reader->is_gzip = reader->is_in_member = true;
    return VKS_OK;
}

// After the end of a gzip file: another one may follow.
static enum vks_status begin_member(struct vks_line_reader *reader) {
    bool is_gzip;
    TRY(look_for_magic(reader, &is_gzip));
    if (reader->gzip.avail_in == 0)
        return VKS_OK;
    if (!is_gzip || inflateReset(&reader->gzip) != Z_OK) {
        log_error(reader->log, "%s: what follows the gzip data is no gzip data", reader->path);
        return VKS_ERR_FORMAT;
    }
    reader->is_in_member = true;
    return VKS_OK;
}

// Decompresses into the text's free room; may give nothing.
static enum vks_status inflate_some(struct vks_line_reader *reader, size_t room) {
    z_stream *gzip = &reader->gzip;
    if (!reader->is_in_member)
        return begin_member(reader);
    gzip->next_out = (Bytef *)reader->text + reader->end;
    gzip->avail_out = room < UINT32_MAX ? (uInt)room : UINT32_MAX;
    int result = inflate(gzip, Z_NO_FLUSH);
    reader->end = (size_t)(gzip->next_out - (Bytef *)reader->text);
    if (result == Z_STREAM_END) {
        reader->is_in_member = false;
        return VKS_OK;
    }
    if (result == Z_MEM_ERROR)
        return memory_error(reader->log, reader->path);
    if (result == Z_OK || result == Z_BUF_ERROR)
        return VKS_OK;
    log_error(reader->log, "%s: damaged gzip data before byte %llu: %s", reader->path,
              (unsigned long long)(reader->num_read - gzip->avail_in),
              gzip->msg ? gzip->msg : "it needs a dictionary");
    return VKS_ERR_FORMAT;
}

static enum vks_status make_room(struct vks_line_reader *reader) {
    if (reader->begin > 0) {
        memmove(reader->text, reader->text + reader->begin, reader->end - reader->begin);
        reader->end -= reader->begin;
        reader->scanned -= reader->begin;
        reader->begin = 0;
    }
    if (reader->end < reader->capacity)
        return VKS_OK;
    size_t capacity = INPUT_BYTES;
    if (reader->capacity && !size_mul(reader->capacity, 2, &capacity))
        return memory_error(reader->log, reader->path);
    char *text = memory_realloc(reader->text, capacity);
    if (!text)
        return memory_error(reader->log, reader->path);
    reader->text = text;
    reader->capacity = capacity;
    return VKS_OK;
}

// Appends to the text what comes next; *is_end: nothing does.
static enum vks_status read_text(struct vks_line_reader *reader, bool *is_end) {
    z_stream *input = &reader->gzip;
    if (!reader->is_begun)
        TRY(begin(reader));
    TRY(make_room(reader));
    if (input->avail_in == 0 && !reader->is_at_end)
        TRY(read_input(reader));
    size_t end = reader->end, room = reader->capacity - end;
    if (reader->is_gzip) {
        TRY(inflate_some(reader, room));
    } else if (input->avail_in) {
        size_t num_bytes = input->avail_in < room ? input->avail_in : room;
        memcpy(reader->text + end, input->next_in, num_bytes);
        input->next_in += num_bytes;
        input->avail_in -= (uInt)num_bytes;
        reader->end += num_bytes;
    }
    *is_end = reader->is_at_end && input->avail_in == 0 && reader->end == end;
    if (!*is_end || !reader->is_in_member)
        return VKS_OK;
    log_error(reader->log, "%s: the gzip data ends early, after byte %llu: is it all there?",
              reader->path, (unsigned long long)reader->num_read);
    return VKS_ERR_FORMAT;
}

// Where the next line ends: at a newline, or at the end of the text. *is_found is false behind the
// last one.
static enum vks_status find_line(struct vks_line_reader *reader, size_t *line_end, bool *is_found) {
    bool is_end = false;
    for (;;) {
        const char *newline = NULL;
        if (reader->scanned < reader->end)
            newline = memchr(reader->text + reader->scanned, '\n', reader->end - reader->scanned);
        reader->scanned = newline ? (size_t)(newline - reader->text) : reader->end;
        if (newline || is_end)
            break;
        TRY(read_text(reader, &is_end));
    }
    if (reader->num_lines == 0 && reader->end - reader->begin >= 3 &&
        !memcmp(reader->text + reader->begin, "\xEF\xBB\xBF", 3))
        reader->begin += 3;
    *line_end = reader->scanned;
    *is_found = reader->begin < reader->end;
    return VKS_OK;
}

enum vks_status vks_line_reader_next(struct vks_line_reader *reader, const char **line,
                                     size_t *num_bytes) {
    size_t line_end;
    bool is_found;
    TRY(find_line(reader, &line_end, &is_found));
    if (!is_found) {
        *line = NULL;
        *num_bytes = 0;
        return VKS_OK;
    }
    const char *text = reader->text + reader->begin;
    size_t length = line_end - reader->begin;
    reader->num_lines++;
    bool has_nul = length && memchr(text, '\0', length);
    if (has_nul || !vks_utf8_is_valid(text, length)) {
        log_error(reader->log, "%s:%llu: %s; expected text in UTF-8", reader->path,
                  (unsigned long long)reader->num_lines,
                  has_nul ? "there is a NUL byte" : "not UTF-8");
        return VKS_ERR_FORMAT;
    }
    reader->begin = reader->scanned = line_end < reader->end ? line_end + 1 : line_end;
    *line = text;
    *num_bytes = length && text[length - 1] == '\r' ? length - 1 : length;
    return VKS_OK;
}
