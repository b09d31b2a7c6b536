// Command-line options of one verb, read by a table: values, help and error messages all come
// from it. Nothing is kept between calls.
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "option_texts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// The process's exit code for CLI_ERROR.
#define CLI_EXIT_USAGE 2

enum cli_result { CLI_OK, CLI_HELP, CLI_ERROR };

// What an option's value is, and the C type of its target.
enum cli_kind {
    CLI_FLAG,     // bool: --quiet, --quiet=false
    CLI_U32,      // uint32_t
    CLI_U64,      // uint64_t
    CLI_FLOAT,    // float
    CLI_STRING,   // const char *
    CLI_STRINGS,  // struct cli_strings: every word up to the next option; no default, no env
    CLI_CHOICE,   // const char *: one of choices
    CLI_DURATION, // double, seconds: 90s, 5m, 1h30m
    CLI_LIMIT,    // struct cli_limit: 10e, 20Ku, 10Gt
};

// A slice of argv; borrowed from it.
struct cli_strings {
    char **items;
    size_t num;
};

enum cli_limit_unit { CLI_UPDATES, CLI_EPOCHS, CLI_TARGET_TOKENS };

// How far to train; num 0: without end.
struct cli_limit {
    uint64_t num;
    enum cli_limit_unit unit;
};

struct cli_option {
    const char *name; // without the dashes; NULL ends the table
    char short_name;  // 0: none
    enum cli_kind kind;
    size_t offset;              // of the target in the command's values
    const char *value_name;     // in the help; NULL: a word for the kind
    const char *default_text;   // as it would be typed; NULL: the target keeps what it holds
    const char *implicit_text;  // the value of the option without one; NULL: it needs one
    double min, max;            // accepted values of a number; both 0: all the kind can hold
    const char *const *choices; // ends with NULL; CLI_CHOICE only
    const char *env;            // environment variable to read when argv has no such option
    bool required;
    bool has_other_source; // something else decides when it is not given: written only if given
    bool is_about_files;   // of option files (CLI_STRINGS), or of writing them: not written to one
    bool is_model;         // of a model that exists: its path, or its name
    bool is_operand;       // CLI_STRING: a word without dashes; operands stand first in the table
    const char *help;
    const char *group; // heading in the help, on the first option of each group
};

struct cli_command {
    const char *name;    // "vkseq train"
    const char *summary; // for the help
    const struct cli_option *options;
    void *values;            // the struct that the offsets are in
    bool *given;             // one for each option; set for those from argv or the environment
    FILE *out;               // help; NULL: stdout
    FILE *err;               // errors, a line each; NULL: stderr
    struct cli_texts *texts; // where option files' texts are kept; NULL: no option names any
};

// Reads argv[1..argc-1] into command->values, after defaults, the environment and the option files
// that argv names; what comes later counts. Takes --name value, --name=value,
// -n value, -nvalue; an option given twice keeps its last value. -h and --help print the help.
// Operands are set in their order, and may stand among the options.
// String targets borrow from argv, the environment or the table; argv's words may be replaced by
// their part after "=".
// CLI_HELP: help was asked for and printed. CLI_ERROR: a message was printed, and values may be
// partly written.
enum cli_result cli_parse(const struct cli_command *command, int argc, char **argv);

// Sets one option from words as if they had been typed; origin ("train.yml, line 3") leads the
// messages.
enum cli_result cli_assign(const struct cli_command *command, const char *origin, const char *name,
                           char **words, size_t num_words);

// Whether the option came from argv, an option file or the environment. It must be in the table.
bool cli_was_given(const struct cli_command *command, const char *name);

// Makes an option that has a value by now count as given.
void cli_set_given(const struct cli_command *command, const char *name);

// Options by group, with their defaults, at most 100 columns wide.
void cli_print_help(const struct cli_command *command, FILE *file);

// The candidate nearest to word: by edit distance, where the beginning of a candidate counts as
// one edit. NULL if there is no candidate.
const char *cli_nearest(const char *word, const char *const *candidates, size_t num_candidates);

// "90s", "5m", "1h30m", "2d", a plain number of seconds; decimals allowed. False, and *seconds
// untouched, for anything else.
bool cli_parse_duration(const char *text, double *seconds);

// Marian's limits: a whole number, then K, M or G, then e (epochs), u (updates) or t (target
// tokens); updates without a unit. False, and *limit untouched, for anything else.
bool cli_parse_limit(const char *text, struct cli_limit *limit);

#endif
