// Texts cut into lines: all of UTF-8 and nothing else is taken, and no byte is lost.
#include "fuzz.h"

#include "data/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    size_t num_messages;
    struct vks_log log = fuzz_log(&num_messages);
    struct lines lines;
    char *text = malloc(num_bytes ? num_bytes : 1);
    CHECK(text);
    memcpy(text, data, num_bytes);
    bool is_cut = fuzz_is_ok(lines_cut(text, num_bytes, "input", &log, &lines), num_messages);
    bool is_text = vks_utf8_is_valid((const char *)data, num_bytes) && !memchr(data, 0, num_bytes);
    CHECK(is_cut == is_text);
    if (!is_cut)
        return 0;
    size_t at = num_bytes >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    for (size_t i = 0; i < lines.num; i++) {
        size_t line_bytes;
        const char *line = lines_get(&lines, i, &line_bytes);
        CHECK(line == lines.text + at && !memchr(line, '\n', line_bytes));
        at += line_bytes;
        at += at < num_bytes && data[at] == '\r';
        at += at < num_bytes && data[at] == '\n';
    }
    CHECK(at == num_bytes);
    lines_finish(&lines);
    return 0;
}
