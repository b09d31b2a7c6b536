#include "token_lines.h"

enum { BLOCK_LINES = 2000 };

const char *const token_sides[] = {"source", "target", NULL};

static enum vks_status write_all(struct token_lines *lines, token_line_writer *write_line,
                                 const void *values) {
    struct line_block block;
    enum vks_status status;
    do {
        status = line_input_read(&lines->input, BLOCK_LINES, &block);
        if (status != VKS_OK || block.num == 0)
            return status;
        uint64_t first = lines->input.num_lines - block.num;
        for (size_t i = 0; i < block.num && status == VKS_OK; i++)
            status = write_line(lines, values, block.lines[i], first + i + 1);
        line_block_free(&block);
        if (status == VKS_OK)
            status = line_output_flush(&lines->output);
    } while (status == VKS_OK);
    return status;
}

int token_lines_run(struct console *console, const struct token_options *options,
                    token_line_writer *write_line, const void *values) {
    struct token_lines lines = {.console = console,
                                .side = *options->side == 't' ? VKS_TARGET : VKS_SOURCE};
    enum vks_status status = line_input_open(&lines.input, options->input, console);
    lines.input.is_prompt = true;
    if (status == VKS_OK)
        status = model_folder_check(console, options->model);
    if (status == VKS_OK)
        status = vks_tokenizer_load(options->model, &console->log, &lines.tokenizer);
    if (status == VKS_OK)
        status = line_output_open(&lines.output, options->output, console);
    if (status == VKS_OK)
        status = write_all(&lines, write_line, values);
    status = line_output_close(&lines.output, status);
    line_input_close(&lines.input);
    int exit_code = exit_code_of(console, status);
    vks_tokenizer_destroy(&lines.tokenizer);
    return exit_code;
}
