// The command's line reader, in blocks of as many lines as the first byte of the input says: it
// refuses what the library refuses, and finds the lines that it finds.
#include "fuzz_file.h"

#include "command/line_files.h"
#include "vkseq/text.h"

// Compares a block with the next lines of the library's.
static void check_block(const struct line_block *block, struct vks_line_reader *lines) {
    for (size_t i = 0; i < block->num; i++) {
        size_t num_bytes;
        const char *line;
        CHECK(vks_line_reader_next(lines, &line, &num_bytes) == VKS_OK && line);
        CHECK(strlen(block->lines[i]) == num_bytes && !memcmp(block->lines[i], line, num_bytes));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    if (num_bytes == 0)
        return 0;
    size_t max_lines = (size_t)data[0] + 1, text_bytes = num_bytes - 1, line_bytes;
    if (text_bytes >= 2 && data[1] == 0x1F && data[2] == 0x8B)
        return 0; // the library decompresses it
    struct fuzz_file file = fuzz_file_create(data + 1, text_bytes);
    struct console console;
    struct line_input input;
    struct line_block block = {0};
    struct vks_line_reader *lines;
    const char *line;
    console_init(&console, "fuzz", false, true);
    CHECK(line_input_open(&input, file.path, &console) == VKS_OK);
    CHECK(vks_line_reader_open(file.path, NULL, &lines) == VKS_OK);
    enum vks_status status;
    do {
        line_block_free(&block);
        status = line_input_read(&input, max_lines, &block);
        if (status == VKS_OK)
            check_block(&block, lines);
    } while (status == VKS_OK && block.num);
    // The library fails later within the block, at the line that it is about.
    enum vks_status expected;
    do
        expected = vks_line_reader_next(lines, &line, &line_bytes);
    while (expected == VKS_OK && line);
    CHECK(status == expected);
    vks_line_reader_close(&lines);
    line_input_close(&input);
    console_finish(&console);
    fuzz_file_finish(&file);
    return 0;
}
