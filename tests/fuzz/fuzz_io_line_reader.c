// Texts cut into lines: all of UTF-8 and nothing else is taken, and no byte is lost; what is gzip
// is decompressed or refused.
#include "fuzz_file.h"

#include "vkseq/text.h"

// Whether the line is the text's next one; *at is then behind its end.
static bool is_next(const uint8_t *data, size_t num_bytes, size_t *at, const char *line,
                    size_t line_bytes) {
    if (line_bytes > num_bytes - *at || memcmp(data + *at, line, line_bytes) != 0)
        return false;
    *at += line_bytes;
    *at += *at < num_bytes && data[*at] == '\r';
    *at += *at < num_bytes && data[*at] == '\n';
    return !memchr(line, '\n', line_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    size_t num_messages, line_bytes, at = 0;
    struct vks_log log = fuzz_log(&num_messages);
    bool is_gzip = num_bytes >= 2 && data[0] == 0x1F && data[1] == 0x8B;
    bool is_text = vks_utf8_is_valid((const char *)data, num_bytes) && !memchr(data, 0, num_bytes);
    struct fuzz_file file = fuzz_file_create(data, num_bytes);
    struct vks_line_reader *reader;
    CHECK(vks_line_reader_open(file.path, &log, &reader) == VKS_OK);
    if (num_bytes >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0)
        at = 3;
    uint64_t num_lines = 0;
    const char *line = "";
    enum vks_status status = VKS_OK;
    while (status == VKS_OK && line) {
        status = vks_line_reader_next(reader, &line, &line_bytes);
        if (status != VKS_OK || !line)
            break;
        num_lines++;
        CHECK(is_gzip || is_next(data, num_bytes, &at, line, line_bytes));
    }
    bool is_read = fuzz_is_ok(status, num_messages);
    CHECK(is_gzip || is_read == is_text);
    CHECK(is_gzip || !is_read || at == num_bytes);
    CHECK(!is_read || vks_line_reader_line(reader) == num_lines);
    vks_line_reader_close(&reader);
    fuzz_file_finish(&file);
    return 0;
}
