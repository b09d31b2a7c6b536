// vkseq encode: text to the vocabulary's ids, a line in, a line out.
#include "command.h"
#include "line_files.h"

#include <string.h>

enum { BLOCK_LINES = 2000 };

struct values {
    const char *model, *input, *output, *side, *source_language, *target_language;
    bool pieces, text_only, quiet;
};

static const char *const sides[] = {"source", "target", NULL};

// clang-format off
static const struct cli_option options[] = {
    {"model", 'm', CLI_STRING, offsetof(struct values, model), "DIR", .required = true,
     .is_model = true, .help = "Model directory, or a model's name; its vocabulary is enough."},
    {"input", 'i', CLI_STRING, offsetof(struct values, input), "FILE", .default_text = "-",
     .help = "Text, UTF-8; - is standard input."},
    {"output", 'o', CLI_STRING, offsetof(struct values, output), "FILE", .default_text = "-",
     .help = "Ids; - is standard output. FILE.partial until all is done."},
    {"side", 0, CLI_CHOICE, offsetof(struct values, side), .default_text = "source",
     .choices = sides, .help = "Whether the text is to be translated or a translation."},
    OPTIONS_LANGUAGES(values, source_language, target_language),
    {"pieces", 0, CLI_FLAG, offsetof(struct values, pieces),
     .help = "Print pieces instead of ids."},
    {"text-only", 0, CLI_FLAG, offsetof(struct values, text_only),
     .help = "Leave out what stands around a text's tokens: </s>, and languages."},
    OPTION_QUIET(values),
    {0},
};
// clang-format on

// Encoding under way.
struct work {
    const struct values *values;
    struct vks_tokenizer *tokenizer;
    struct vks_sequence_params params;
    struct line_input input;
    struct line_output output;
};

static void print_ids(const struct work *work, const uint32_t *ids, size_t num_ids) {
    FILE *file = work->output.file;
    for (size_t i = 0; i < num_ids; i++) {
        const char *piece = vks_tokenizer_piece(work->tokenizer, work->params.side, ids[i]);
        if (i > 0)
            fputc(' ', file);
        if (work->values->pieces)
            fputs(piece ? piece : "", file);
        else
            fprintf(file, "%u", ids[i]);
    }
    fputc('\n', file);
}

static enum vks_status encode_line(const struct work *work, const char *line) {
    uint32_t *ids;
    size_t num_ids;
    enum vks_status status =
        work->values->text_only ? vks_tokenizer_encode(work->tokenizer, work->params.side, line,
                                                       strlen(line), &ids, &num_ids)
                                : vks_tokenizer_encode_sequence(work->tokenizer, &work->params,
                                                                line, strlen(line), &ids, &num_ids);
    if (status != VKS_OK)
        return status;
    print_ids(work, ids, num_ids);
    vks_free(ids);
    return VKS_OK;
}

static enum vks_status encode_all(struct work *work) {
    struct line_block block;
    enum vks_status status;
    do {
        status = line_input_read(&work->input, BLOCK_LINES, &block);
        if (status != VKS_OK || block.num == 0)
            return status;
        for (size_t i = 0; i < block.num && status == VKS_OK; i++)
            status = encode_line(work, block.lines[i]);
        line_block_free(&block);
        if (status == VKS_OK)
            status = line_output_flush(&work->output);
    } while (status == VKS_OK);
    return status;
}

static int run(struct console *console, void *user) {
    const struct values *values = user;
    struct work work = {.values = values,
                        .params = {.side = *values->side == 't' ? VKS_TARGET : VKS_SOURCE,
                                   .source_language = values->source_language,
                                   .target_language = values->target_language}};
    enum vks_status status = line_input_open(&work.input, values->input, console);
    work.input.is_prompt = true;
    if (status == VKS_OK)
        status = model_folder_check(console, values->model);
    if (status == VKS_OK)
        status = vks_tokenizer_load(values->model, &console->log, &work.tokenizer);
    if (status == VKS_OK)
        status = line_output_open(&work.output, values->output, console);
    if (status == VKS_OK)
        status = encode_all(&work);
    status = line_output_close(&work.output, status);
    line_input_close(&work.input);
    int exit_code = exit_code_of(console, status);
    vks_tokenizer_destroy(&work.tokenizer);
    return exit_code;
}

int verb_encode(const char *program, int argc, char **argv) {
    (void)program;
    struct values values = {0};
    bool given[sizeof options / sizeof *options];
    const struct cli_command command = {
        .name = "vkseq encode",
        .summary = "Prints the vocabulary's ids of a text, a line in, a line out.",
        .options = options,
        .values = &values,
        .given = given,
    };
    return run_verb(&command, argc, argv, &values.quiet, run);
}
