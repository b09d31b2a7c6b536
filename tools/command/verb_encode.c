// vkseq encode: text to the vocabulary's ids, a line in, a line out.
#include "token_lines.h"

#include <string.h>

struct values {
    struct token_options tokens;
    const char *source_language, *target_language;
    bool pieces, text_only;
};

// clang-format off
static const struct cli_option options[] = {
    OPTIONS_TOKENS(values, "Text, UTF-8", "Ids", "source",
                   "Whether the text is to be translated or a translation."),
    OPTIONS_LANGUAGES(values, source_language, target_language),
    {"pieces", 0, CLI_FLAG, offsetof(struct values, pieces),
     .help = "Print pieces instead of ids."},
    {"text-only", 0, CLI_FLAG, offsetof(struct values, text_only),
     .help = "Leave out what stands around a text's tokens: </s>, and languages."},
    {0},
};
// clang-format on

static void print_ids(const struct token_lines *lines, bool as_pieces, const uint32_t *ids,
                      size_t num_ids) {
    FILE *file = lines->output.file;
    for (size_t i = 0; i < num_ids; i++) {
        const char *piece = vks_tokenizer_piece(lines->tokenizer, lines->side, ids[i]);
        if (i > 0)
            fputc(' ', file);
        if (as_pieces)
            fputs(piece ? piece : "", file);
        else
            fprintf(file, "%u", ids[i]);
    }
    fputc('\n', file);
}

static enum vks_status encode_line(const struct token_lines *lines, const void *user,
                                   const char *line, uint64_t line_number) {
    (void)line_number;
    const struct values *values = user;
    const struct vks_sequence_params params = {.side = lines->side,
                                               .source_language = values->source_language,
                                               .target_language = values->target_language};
    uint32_t *ids;
    size_t num_ids;
    enum vks_status status = values->text_only
                                 ? vks_tokenizer_encode(lines->tokenizer, lines->side, line,
                                                        strlen(line), &ids, &num_ids)
                                 : vks_tokenizer_encode_sequence(lines->tokenizer, &params, line,
                                                                 strlen(line), &ids, &num_ids);
    if (status != VKS_OK)
        return status;
    print_ids(lines, values->pieces, ids, num_ids);
    vks_free(ids);
    return VKS_OK;
}

static int run(struct console *console, void *user) {
    const struct values *values = user;
    return token_lines_run(console, &values->tokens, encode_line, values);
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
    return run_verb(&command, argc, argv, &values.tokens.quiet, run);
}
