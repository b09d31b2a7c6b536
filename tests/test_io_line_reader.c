// Lines of texts, plain and gzip, and what is said of damaged ones.
#include "scratch.h"

#include "vkseq/text.h"

#include <zlib.h>

// Writes a text as a gzip file of its own behind what the file has.
static void append_gzip(const struct scratch *scratch, const char *name, const char *text) {
    char *path = scratch_path(scratch, name);
    gzFile file = gzopen(path, "ab");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, text, (unsigned)strlen(text)), (int)strlen(text));
    assert_int_equal(gzclose(file), Z_OK);
    free(path);
}

// Reads a file's lines, each with "|" behind it; *num_lines counts them.
static enum vks_status read_lines(struct scratch *scratch, const char *name, char *text,
                                  size_t text_bytes, uint64_t *num_lines) {
    char *path = scratch_path(scratch, name);
    struct vks_line_reader *reader = NULL;
    const char *line = "";
    size_t num_bytes;
    enum vks_status status = vks_line_reader_open(path, &scratch->log, &reader);
    free(path);
    text[0] = '\0';
    while (status == VKS_OK && line) {
        status = vks_line_reader_next(reader, &line, &num_bytes);
        if (status == VKS_OK && line)
            snprintf(text + strlen(text), text_bytes - strlen(text), "%.*s|", (int)num_bytes, line);
    }
    *num_lines = reader ? vks_line_reader_line(reader) : 0;
    vks_line_reader_close(&reader);
    vks_line_reader_close(&reader);
    return status;
}

static void expect_lines(struct scratch *scratch, const char *name, const char *expected) {
    char text[256];
    uint64_t num_lines, num_expected = 0;
    for (const char *at = expected; *at; at++)
        num_expected += *at == '|';
    assert_int_equal(read_lines(scratch, name, text, sizeof text, &num_lines), VKS_OK);
    assert_string_equal(text, expected);
    assert_int_equal(num_lines, num_expected);
}

static void expect_failure(struct scratch *scratch, const char *name, enum vks_status status,
                           const char *message) {
    char text[256];
    uint64_t num_lines;
    scratch->num_messages = 0;
    assert_int_equal(read_lines(scratch, name, text, sizeof text, &num_lines), status);
    assert_int_equal(scratch->num_messages, 1);
    if (!strstr(scratch->text, message))
        fail_msg("'%s' does not have '%s'", scratch->text, message);
}

static void lines_end_as_everywhere(void **state) {
    static const char *const cases[][2] = {
        {"", ""},
        {"a", "a|"},
        {"a\n", "a|"},
        {"a\r\nb\n\nc", "a|b||c|"},
        {"\n", "|"},
        {"\r\n\r", "||"},
        {"\xEF\xBB\xBF", ""},
        {"\xEF\xBB\xBF\xC3\xA9\n\xEF\xBB\xBF", "\xC3\xA9|\xEF\xBB\xBF|"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[16];
        scratch_put(*state, "plain", cases[i][0], strlen(cases[i][0]));
        expect_lines(*state, "plain", cases[i][1]);
        snprintf(name, sizeof name, "%zu.gz", i);
        append_gzip(*state, name, cases[i][0]);
        expect_lines(*state, name, cases[i][1]);
    }
}

static void gzip_is_known_by_its_first_bytes(void **state) {
    append_gzip(*state, "text", "a\nb\n");
    expect_lines(*state, "text", "a|b|");
    scratch_put(*state, "plain.gz", "a\n", 2);
    expect_failure(*state, "plain.gz", VKS_ERR_FORMAT, "plain.gz: it does not begin as gzip");
    scratch_put(*state, "empty.gz", "", 0);
    expect_failure(*state, "empty.gz", VKS_ERR_FORMAT, "empty.gz: it does not begin as gzip");
}

static void gzip_files_may_follow_each_other(void **state) {
    append_gzip(*state, "text.gz", "a\nb");
    append_gzip(*state, "text.gz", "");
    append_gzip(*state, "text.gz", "c\nd\n");
    expect_lines(*state, "text.gz", "a|bc|d|");
}

// Every truncation and every changed byte of a gzip file is found; the few bytes of its header that
// say nothing about the text (time, flags, system) are left alone.
static void damaged_gzip_is_found(void **state) {
    struct scratch *scratch = *state;
    enum { HEADER_BYTES = 10 };
    unsigned char *data = NULL;
    size_t num_bytes;
    char text[256], *path = scratch_path(scratch, "text.gz");
    uint64_t num_lines;
    append_gzip(scratch, "text.gz", "one line and another one\nand one more line\n");
    assert_int_equal(file_read(path, 1000, &scratch->log, &data, &num_bytes), VKS_OK);
    for (size_t i = 2; i < num_bytes; i++) {
        scratch_put(scratch, "text.gz", data, i);
        expect_failure(scratch, "text.gz", VKS_ERR_FORMAT, "text.gz: the gzip data ends early");
    }
    for (size_t i = HEADER_BYTES; i < num_bytes; i++) {
        data[i] ^= 0x55;
        scratch_put(scratch, "text.gz", data, num_bytes);
        assert_int_equal(read_lines(scratch, "text.gz", text, sizeof text, &num_lines),
                         VKS_ERR_FORMAT);
        data[i] ^= 0x55;
    }
    data[num_bytes - 8] ^= 1;
    scratch_put(scratch, "text.gz", data, num_bytes);
    expect_failure(scratch, "text.gz", VKS_ERR_FORMAT, "incorrect data check");
    data[num_bytes - 8] ^= 1;
    data = realloc(data, num_bytes + 4);
    assert_non_null(data);
    memcpy(data + num_bytes, "more", 4);
    scratch_put(scratch, "text.gz", data, num_bytes + 4);
    expect_failure(scratch, "text.gz", VKS_ERR_FORMAT, "what follows the gzip data is no gzip");
    free(data);
    free(path);
}

static void what_is_no_text_is_named_by_its_line(void **state) {
    static const char nul[] = "a\n\0\n";
    scratch_put(*state, "text", nul, sizeof nul - 1);
    expect_failure(*state, "text", VKS_ERR_FORMAT, "text:2: there is a NUL byte");
    append_gzip(*state, "text.gz", "a\nb\n\xC3\n");
    expect_failure(*state, "text.gz", VKS_ERR_FORMAT, "text.gz:3: not UTF-8");
    expect_failure(*state, "missing", VKS_ERR_IO, "missing: cannot open");
}

// Lines that are longer than any buffer, and a great many of them.
static void long_texts_are_read_whole(void **state) {
    struct scratch *scratch = *state;
    enum { NUM_LINES = 3000, LONG_BYTES = 300000 };
    char *text = malloc(NUM_LINES * 64 + LONG_BYTES + 2), *end = text;
    assert_non_null(text);
    for (unsigned i = 0; i < NUM_LINES; i++) {
        if (i == 1500) {
            memset(end, 'x', LONG_BYTES);
            end += LONG_BYTES;
            *end++ = '\n';
        }
        end += sprintf(end, "%u %u\n", i, i * 2654435761u);
    }
    *end = '\0';
    scratch_put(scratch, "plain", text, (size_t)(end - text));
    append_gzip(scratch, "gzip", text);
    for (int is_gzip = 0; is_gzip < 2; is_gzip++) {
        char *path = scratch_path(scratch, is_gzip ? "gzip" : "plain"), *at = text;
        struct vks_line_reader *reader;
        const char *line;
        size_t num_bytes;
        assert_int_equal(vks_line_reader_open(path, &scratch->log, &reader), VKS_OK);
        for (;;) {
            assert_int_equal(vks_line_reader_next(reader, &line, &num_bytes), VKS_OK);
            if (!line)
                break;
            assert_memory_equal(line, at, num_bytes);
            at += num_bytes + 1;
        }
        assert_ptr_equal(at, end);
        assert_int_equal(vks_line_reader_line(reader), NUM_LINES + 1);
        vks_line_reader_close(&reader);
        free(path);
    }
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(lines_end_as_everywhere),
        SCRATCH_TEST(gzip_is_known_by_its_first_bytes),
        SCRATCH_TEST(gzip_files_may_follow_each_other),
        SCRATCH_TEST(damaged_gzip_is_found),
        SCRATCH_TEST(what_is_no_text_is_named_by_its_line),
        SCRATCH_TEST(long_texts_are_read_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
