#include "data/lines.h"

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/files.h"

#include <stdlib.h>
#include <string.h>

static size_t count_lines(const char *text, size_t begin, size_t end) {
    size_t num = 0;
    for (const char *at = text + begin; (at = memchr(at, '\n', (size_t)(text + end - at))); at++)
        num++;
    return num + (end > begin && text[end - 1] != '\n');
}

enum vks_status lines_cut(char *text, size_t num_bytes, const char *name, const struct vks_log *log,
                          struct lines *lines) {
    size_t begin = 0, end = num_bytes;
    struct lines cut = {.text = text};
    if (end >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        begin = 3;
    cut.num = count_lines(cut.text, begin, end);
    cut.begins = memory_calloc(cut.num + 1, sizeof *cut.begins);
    if (!cut.begins) {
        lines_finish(&cut);
        log_error(log, "%s: out of memory", name);
        return VKS_ERR_OOM;
    }
    for (size_t i = 0; i < cut.num; i++) {
        const char *newline = memchr(cut.text + begin, '\n', end - begin);
        size_t next = newline ? (size_t)(newline - cut.text) + 1 : end;
        bool has_nul = memchr(cut.text + begin, '\0', next - begin);
        if (has_nul || !vks_utf8_is_valid(cut.text + begin, next - begin)) {
            lines_finish(&cut);
            log_error(log, "%s:%zu: %s; expected text in UTF-8", name, i + 1,
                      has_nul ? "there is a NUL byte" : "not UTF-8");
            return VKS_ERR_FORMAT;
        }
        cut.begins[i] = begin;
        begin = next;
    }
    cut.begins[cut.num] = end;
    *lines = cut;
    return VKS_OK;
}

enum vks_status lines_read(const char *path, const struct vks_log *log, struct lines *lines) {
    unsigned char *text;
    size_t num_bytes;
    TRY(file_read(path, SIZE_MAX - 1, log, &text, &num_bytes));
    return lines_cut((char *)text, num_bytes, path, log, lines);
}

const char *lines_get(const struct lines *lines, size_t line_idx, size_t *num_bytes) {
    CHECK(line_idx < lines->num);
    size_t begin = lines->begins[line_idx], end = lines->begins[line_idx + 1];
    if (end > begin && lines->text[end - 1] == '\n')
        end--;
    if (end > begin && lines->text[end - 1] == '\r')
        end--;
    *num_bytes = end - begin;
    return lines->text + begin;
}

void lines_finish(struct lines *lines) {
    free(lines->text);
    free(lines->begins);
    *lines = (struct lines){0};
}
