// What `vkseq encode` and `vkseq decode` share: a vocabulary, and a line in for a line out.
#ifndef COMMAND_TOKEN_LINES_H
#define COMMAND_TOKEN_LINES_H

#include "command.h"
#include "line_files.h"

struct token_options {
    const char *model, *input, *output, *side;
    bool quiet;
};

extern const char *const token_sides[]; // names for --side

// Lines of an option table for a struct with a member `tokens`: what goes in and comes out, which
// side it is by default, and what the two sides are.
// clang-format off
#define OPTIONS_TOKENS(values, in, out, default_side, sides)                                       \
    {"model", 'm', CLI_STRING, offsetof(struct values, tokens.model), "DIR", .required = true,     \
     .is_model = true,                                                                             \
     .help = "Model directory, or a model's name; its vocabulary is enough."},                     \
    {"input", 'i', CLI_STRING, offsetof(struct values, tokens.input), "FILE",                      \
     .default_text = "-", .help = in "; - is standard input."},                                    \
    {"output", 'o', CLI_STRING, offsetof(struct values, tokens.output), "FILE",                    \
     .default_text = "-",                                                                          \
     .help = out "; - is standard output. FILE.partial until all is done."},                       \
    {"side", 0, CLI_CHOICE, offsetof(struct values, tokens.side), .default_text = default_side,    \
     .choices = token_sides, .help = sides},                                                       \
    {"quiet", 0, CLI_FLAG, offsetof(struct values, tokens.quiet), .help = "Print errors only."}
// clang-format on

// Lines under way.
struct token_lines {
    struct console *console;
    struct vks_tokenizer *tokenizer;
    enum vks_side side;
    struct line_input input;
    struct line_output output;
};

// Writes a line's outcome to lines->output.file; line_number counts from 1. What fails is reported.
typedef enum vks_status token_line_writer(const struct token_lines *lines, const void *values,
                                          const char *line, uint64_t line_number);

// All lines of the input. Returns the exit code.
int token_lines_run(struct console *console, const struct token_options *options,
                    token_line_writer *write_line, const void *values);

#endif
