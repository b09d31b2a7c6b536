// vkseq decode: the vocabulary's ids to text, a line in, a line out.
#include "command.h"
#include "line_files.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_LINES = 2000, MAX_DIGITS = 9 };

struct values {
    const char *model, *input, *output, *side;
    bool quiet;
};

static const char *const sides[] = {"target", "source", NULL};

// clang-format off
static const struct cli_option options[] = {
    {"model", 'm', CLI_STRING, offsetof(struct values, model), "DIR", .required = true,
     .is_model = true, .help = "Model directory, or a model's name; its vocabulary is enough."},
    {"input", 'i', CLI_STRING, offsetof(struct values, input), "FILE", .default_text = "-",
     .help = "Ids, blanks between them; - is standard input."},
    {"output", 'o', CLI_STRING, offsetof(struct values, output), "FILE", .default_text = "-",
     .help = "Text; - is standard output. FILE.partial until all is done."},
    {"side", 0, CLI_CHOICE, offsetof(struct values, side), .default_text = "target",
     .choices = sides, .help = "Whether the ids are of translations or of what is translated."},
    OPTION_QUIET(values),
    {0},
};
// clang-format on

// Decoding under way.
struct work {
    struct console *console;
    struct vks_tokenizer *tokenizer;
    enum vks_side side;
    struct line_input input;
    struct line_output output;
};

// The ids of a line, to ids, of which there are no more than bytes.
static enum vks_status parse_line(const struct work *work, const char *line, uint64_t line_number,
                                  uint32_t *ids, size_t *num_ids) {
    size_t num = 0;
    for (const char *word = line + strspn(line, " "); *word; word += strspn(word, " ")) {
        size_t num_digits = strspn(word, "0123456789");
        if (num_digits == 0 || num_digits > MAX_DIGITS || (word[num_digits] & ~' ')) {
            console_error(work->console,
                          "%s line %" PRIu64 ": '%.20s': expected ids, with blanks between them",
                          work->input.name, line_number, word);
            return VKS_ERR_FORMAT;
        }
        ids[num++] = (uint32_t)strtoul(word, NULL, 10);
        word += num_digits;
    }
    *num_ids = num;
    return VKS_OK;
}

static enum vks_status decode_line(const struct work *work, const char *line,
                                   uint64_t line_number) {
    uint32_t *ids = calloc(strlen(line) + 1, sizeof *ids);
    size_t num_ids = 0;
    char *text = NULL;
    enum vks_status status = ids ? VKS_OK : VKS_ERR_OOM;
    if (status == VKS_OK)
        status = parse_line(work, line, line_number, ids, &num_ids);
    if (status == VKS_OK)
        status = vks_tokenizer_decode(work->tokenizer, work->side, ids, num_ids, &text);
    if (status == VKS_OK)
        fprintf(work->output.file, "%s\n", text);
    vks_free(text);
    free(ids);
    return status;
}

static enum vks_status decode_all(struct work *work) {
    struct line_block block;
    enum vks_status status;
    do {
        status = line_input_read(&work->input, BLOCK_LINES, &block);
        if (status != VKS_OK || block.num == 0)
            return status;
        uint64_t first = work->input.num_lines - block.num;
        for (size_t i = 0; i < block.num && status == VKS_OK; i++)
            status = decode_line(work, block.lines[i], first + i + 1);
        line_block_free(&block);
        if (status == VKS_OK)
            status = line_output_flush(&work->output);
    } while (status == VKS_OK);
    return status;
}

static int run(struct console *console, void *user) {
    const struct values *values = user;
    struct work work = {.console = console, .side = *values->side == 't' ? VKS_TARGET : VKS_SOURCE};
    enum vks_status status = line_input_open(&work.input, values->input, console);
    work.input.is_prompt = true;
    if (status == VKS_OK)
        status = model_folder_check(console, values->model);
    if (status == VKS_OK)
        status = vks_tokenizer_load(values->model, &console->log, &work.tokenizer);
    if (status == VKS_OK)
        status = line_output_open(&work.output, values->output, console);
    if (status == VKS_OK)
        status = decode_all(&work);
    status = line_output_close(&work.output, status);
    line_input_close(&work.input);
    int exit_code = exit_code_of(console, status);
    vks_tokenizer_destroy(&work.tokenizer);
    return exit_code;
}

int verb_decode(const char *program, int argc, char **argv) {
    (void)program;
    struct values values = {0};
    bool given[sizeof options / sizeof *options];
    const struct cli_command command = {
        .name = "vkseq decode",
        .summary = "Prints the text of the vocabulary's ids, a line in, a line out.",
        .options = options,
        .values = &values,
        .given = given,
    };
    return run_verb(&command, argc, argv, &values.quiet, run);
}
