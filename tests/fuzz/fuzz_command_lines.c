// The command's line reader, in blocks of as many lines as the first byte of the input says: it
// refuses what the library refuses, and finds the lines that it finds.
#include "fuzz_file.h"

#include "command/line_files.h"
#include "data/lines.h"

// Compares a block with the lines from first on.
static void check_block(const struct line_block *block, const struct lines *lines, size_t first) {
    CHECK(block->num <= lines->num - first);
    for (size_t i = 0; i < block->num; i++) {
        size_t num_bytes;
        const char *line = lines_get(lines, first + i, &num_bytes);
        CHECK(strlen(block->lines[i]) == num_bytes && !memcmp(block->lines[i], line, num_bytes));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes) {
    if (num_bytes == 0)
        return 0;
    size_t max_lines = (size_t)data[0] + 1, text_bytes = num_bytes - 1, num_read = 0;
    struct lines lines = {0};
    bool is_cut =
        lines_cut(fuzz_text(data + 1, text_bytes), text_bytes, "input", NULL, &lines) == VKS_OK;
    struct fuzz_file file = fuzz_file_create(data + 1, text_bytes);
    struct console console;
    struct line_input input;
    struct line_block block = {0};
    console_init(&console, "fuzz", false, true);
    CHECK(line_input_open(&input, file.path, &console) == VKS_OK);
    enum vks_status status;
    do {
        line_block_free(&block);
        status = line_input_read(&input, max_lines, &block);
        if (status == VKS_OK && is_cut)
            check_block(&block, &lines, num_read);
        num_read += block.num;
    } while (status == VKS_OK && block.num);
    CHECK(status == (is_cut ? VKS_OK : VKS_ERR_FORMAT));
    CHECK(!is_cut || num_read == lines.num);
    line_input_close(&input);
    console_finish(&console);
    fuzz_file_finish(&file);
    lines_finish(&lines);
    return 0;
}
