// vkseq decode: the vocabulary's ids to text, a line in, a line out.
#include "token_lines.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DIGITS = 9 };

struct values {
    struct token_options tokens;
};

// clang-format off
static const struct cli_option options[] = {
    OPTIONS_TOKENS(values, "Ids, blanks between them", "Text", "target",
                   "Whether the ids are of translations or of what is translated."),
    {0},
};
// clang-format on

// The ids of a line, to ids, of which there are no more than bytes.
static enum vks_status parse_line(const struct token_lines *lines, const char *line,
                                  uint64_t line_number, uint32_t *ids, size_t *num_ids) {
    size_t num = 0;
    for (const char *word = line + strspn(line, " "); *word; word += strspn(word, " ")) {
        size_t num_digits = strspn(word, "0123456789");
        if (num_digits == 0 || num_digits > MAX_DIGITS || (word[num_digits] & ~' ')) {
            console_error(lines->console,
                          "%s line %" PRIu64 ": '%.20s': expected ids, with blanks between them",
                          lines->input.name, line_number, word);
            return VKS_ERR_FORMAT;
        }
        ids[num++] = (uint32_t)strtoul(word, NULL, 10);
        word += num_digits;
    }
    *num_ids = num;
    return VKS_OK;
}

static enum vks_status decode_line(const struct token_lines *lines, const void *user,
                                   const char *line, uint64_t line_number) {
    (void)user;
    uint32_t *ids = calloc(strlen(line) + 1, sizeof *ids);
    size_t num_ids = 0;
    char *text = NULL;
    enum vks_status status = ids ? VKS_OK : VKS_ERR_OOM;
    if (status == VKS_OK)
        status = parse_line(lines, line, line_number, ids, &num_ids);
    if (status == VKS_OK)
        status = vks_tokenizer_decode(lines->tokenizer, lines->side, ids, num_ids, &text);
    if (status == VKS_OK)
        fprintf(lines->output.file, "%s\n", text);
    vks_free(text);
    free(ids);
    return status;
}

static int run(struct console *console, void *user) {
    const struct values *values = user;
    return token_lines_run(console, &values->tokens, decode_line, NULL);
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
    return run_verb(&command, argc, argv, &values.tokens.quiet, run);
}
