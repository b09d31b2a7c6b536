#include "options.h"
#include "option_file.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define HELP_COLUMNS 100
#define HELP_TEXT_COLUMN 36 // where the explanations begin
#define MAX_NAME_CHARS 64   // longer words are cut before they are compared

static void print_error(const struct cli_command *command, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void print_error(const struct cli_command *command, const char *fmt, ...) {
    FILE *file = command->err ? command->err : stderr;
    va_list args;
    fprintf(file, "%s: ", command->name);
    va_start(args, fmt);
    vfprintf(file, fmt, args);
    va_end(args);
    fputc('\n', file);
}

// Values

bool cli_parse_duration(const char *text, double *seconds) {
    static const struct {
        char unit;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    double sum = 0;
    const char *begin = text;
    if (!*text)
        return false;
    while (*text) {
        char *end;
        double scale = 0;
        if (*text < '0' || *text > '9')
            return false;
        double number = strtod(text, &end);
        if (end != text + strspn(text, "0123456789.")) // strtod also reads 0x10 and 1e3
            return false;
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            if (*end == units[i].unit)
                scale = units[i].seconds;
        if (!*end && text == begin)
            scale = 1;
        sum += number * scale;
        if (scale == 0 || !isfinite(sum))
            return false;
        text = *end ? end + 1 : end;
    }
    *seconds = sum;
    return true;
}

// A whole number without a sign; *end is what follows it.
static bool parse_digits(const char *text, uint64_t *number, char **end) {
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, end, 10);
    if (errno == ERANGE)
        return false;
    *number = value;
    return true;
}

bool cli_parse_limit(const char *text, struct cli_limit *limit) {
    static const char scales[] = "KMG", units[] = "uet"; // units in the order of cli_limit_unit
    struct cli_limit result = {.unit = CLI_UPDATES};
    char *end;
    if (!parse_digits(text, &result.num, &end))
        return false;
    const char *scale = *end ? strchr(scales, *end) : NULL;
    if (scale) {
        for (const char *s = scales; s <= scale; s++)
            if (__builtin_mul_overflow(result.num, (uint64_t)1000, &result.num))
                return false;
        end++;
    }
    const char *unit = *end ? strchr(units, *end) : NULL;
    if (unit) {
        result.unit = (enum cli_limit_unit)(unit - units);
        end++;
    }
    if (*end)
        return false;
    *limit = result;
    return true;
}

static bool parse_bool(const char *text, bool *value) {
    bool yes = !strcmp(text, "true") || !strcmp(text, "1");
    if (!yes && strcmp(text, "false") && strcmp(text, "0"))
        return false;
    *value = yes;
    return true;
}

// The smallest and largest number that the option takes.
static void number_range(const struct cli_option *option, double *min, double *max) {
    *min = option->min;
    *max = option->max;
    if (*min != 0 || *max != 0)
        return;
    if (option->kind == CLI_FLOAT)
        *min = -HUGE_VAL;
    *max = option->kind == CLI_U32 ? UINT32_MAX : HUGE_VAL;
}

// "a whole number from 1 to 8", "a number of at least 0", "a number".
static void describe_number(const struct cli_option *option, char *text, size_t text_bytes) {
    const char *noun = option->kind == CLI_FLOAT ? "a number" : "a whole number";
    double min, max;
    number_range(option, &min, &max);
    if (isfinite(min) && isfinite(max))
        snprintf(text, text_bytes, "%s from %.10g to %.10g", noun, min, max);
    else if (isfinite(min))
        snprintf(text, text_bytes, "%s of at least %.10g", noun, min);
    else if (isfinite(max))
        snprintf(text, text_bytes, "%s of at most %.10g", noun, max);
    else
        snprintf(text, text_bytes, "%s", noun);
}

static bool parse_number(const struct cli_option *option, const char *text, void *target) {
    double min, max, number;
    uint64_t whole = 0;
    char *end;
    number_range(option, &min, &max);
    if (option->kind == CLI_FLOAT) {
        number = strtod(text, &end);
        if (end == text || !isfinite((float)number))
            return false;
    } else {
        if (!parse_digits(text, &whole, &end))
            return false;
        number = (double)whole;
    }
    if (*end || number < min || number > max)
        return false;
    if (option->kind == CLI_FLOAT)
        *(float *)target = (float)number;
    else if (option->kind == CLI_U32)
        *(uint32_t *)target = (uint32_t)whole;
    else
        *(uint64_t *)target = whole;
    return true;
}

static bool parse_choice(const struct cli_option *option, const char *text, const char **target) {
    for (const char *const *choice = option->choices; *choice; choice++)
        if (!strcmp(text, *choice)) {
            *target = *choice;
            return true;
        }
    return false;
}

// Any kind but CLI_STRINGS. False, and the target untouched, if the text is not such a value.
static bool parse_value(const struct cli_option *option, const char *text, void *target) {
    switch (option->kind) {
    case CLI_FLAG:
        return parse_bool(text, target);
    case CLI_U32:
    case CLI_U64:
    case CLI_FLOAT:
        return parse_number(option, text, target);
    case CLI_CHOICE:
        return parse_choice(option, text, target);
    case CLI_DURATION:
        return cli_parse_duration(text, target);
    case CLI_LIMIT:
        return cli_parse_limit(text, target);
    case CLI_STRING:
        *(const char **)target = text;
        return true;
    case CLI_STRINGS:
        break;
    }
    return false;
}

static void print_value_error(const struct cli_command *command, const struct cli_option *option,
                              const char *origin, const char *text) {
    char expected[256] = "";
    size_t num_chars;
    switch (option->kind) {
    case CLI_CHOICE:
        num_chars = (size_t)snprintf(expected, sizeof expected, "one of %s", option->choices[0]);
        for (const char *const *c = option->choices + 1; *c && num_chars < sizeof expected; c++)
            num_chars +=
                (size_t)snprintf(expected + num_chars, sizeof expected - num_chars, ", %s", *c);
        break;
    case CLI_DURATION:
        snprintf(expected, sizeof expected, "a duration such as 90s, 5m or 1h30m");
        break;
    case CLI_LIMIT:
        snprintf(expected, sizeof expected, "a limit such as 10e, 20Ku or 10Gt");
        break;
    case CLI_FLAG:
        snprintf(expected, sizeof expected, "true or false");
        break;
    default:
        describe_number(option, expected, sizeof expected);
    }
    print_error(command, "%s: '%s' is not %s", origin, text, expected);
}

// Sets the option from text; origin names where the text came from, for the message.
static enum cli_result assign(const struct cli_command *command, const struct cli_option *option,
                              const char *origin, const char *text) {
    if (!parse_value(option, text, (char *)command->values + option->offset)) {
        print_value_error(command, option, origin, text);
        return CLI_ERROR;
    }
    return CLI_OK;
}

// Names

static size_t min_size(size_t a, size_t b) {
    return a < b ? a : b;
}

// Levenshtein's distance, in one row of the table.
static size_t edit_distance(const char *a, const char *b) {
    size_t row[MAX_NAME_CHARS + 1];
    size_t a_chars = strlen(a), b_chars = min_size(strlen(b), MAX_NAME_CHARS);
    if (a_chars && !strncmp(a, b, a_chars))
        return a_chars != b_chars;
    for (size_t j = 0; j <= b_chars; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_chars; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_chars; j++) {
            size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = min_size(replaced, 1 + min_size(row[j], row[j - 1]));
        }
    }
    return row[b_chars];
}

const char *cli_nearest(const char *word, const char *const *candidates, size_t num_candidates) {
    const char *nearest = NULL;
    size_t nearest_distance = SIZE_MAX;
    for (size_t i = 0; i < num_candidates; i++) {
        size_t distance = edit_distance(word, candidates[i]);
        if (distance < nearest_distance) {
            nearest_distance = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}

static const struct cli_option *find_long(const struct cli_command *command, const char *name,
                                          size_t name_chars) {
    for (const struct cli_option *o = command->options; o->name; o++)
        if (!o->is_operand && strlen(o->name) == name_chars && !strncmp(o->name, name, name_chars))
            return o;
    return NULL;
}

static const struct cli_option *find_short(const struct cli_command *command, char letter) {
    for (const struct cli_option *o = command->options; o->name; o++)
        if (o->short_name == letter)
            return o;
    return NULL;
}

bool cli_was_given(const struct cli_command *command, const char *name) {
    return command->given[find_long(command, name, strlen(name)) - command->options];
}

void cli_set_given(const struct cli_command *command, const char *name) {
    command->given[find_long(command, name, strlen(name)) - command->options] = true;
}

static void print_unknown(const struct cli_command *command, const char *name, size_t name_chars) {
    char word[MAX_NAME_CHARS + 1];
    const char *nearest = "help";
    snprintf(word, sizeof word, "%.*s", (int)min_size(name_chars, MAX_NAME_CHARS), name);
    for (const struct cli_option *o = command->options; o->name; o++) {
        const char *pair[] = {nearest, o->name};
        nearest = cli_nearest(word, pair, o->is_operand ? 1 : 2);
    }
    print_error(command, "unknown option '--%.*s'; did you mean '--%s'?", (int)name_chars, name,
                nearest);
}

// Reading argv

struct words {
    char **items;
    int num, next;
};

// A word that is a value and not the next option: "-" and negative numbers are values.
static bool is_value(const char *word) {
    return word[0] != '-' || !word[1] || strchr("0123456789.", word[1]);
}

// Sets a list from the words at hand; the first may be text, a part of the word before them.
static enum cli_result assign_strings(const struct cli_command *command,
                                      const struct cli_option *option, char *text,
                                      struct words *words) {
    struct cli_strings *strings = (struct cli_strings *)((char *)command->values + option->offset);
    if (text)
        words->items[--words->next] = text;
    int first = words->next;
    words->next += text != NULL;
    while (words->next < words->num && is_value(words->items[words->next]))
        words->next++;
    if (words->next == first) {
        print_error(command, "option '--%s' needs at least one value", option->name);
        return CLI_ERROR;
    }
    *strings = (struct cli_strings){words->items + first, (size_t)(words->next - first)};
    return CLI_OK;
}

// Sets the option that was just read; text is what was attached to it, or NULL.
static enum cli_result read_option(const struct cli_command *command,
                                   const struct cli_option *option, char *text,
                                   struct words *words) {
    char origin[MAX_NAME_CHARS + 16];
    const char *value = text;
    command->given[option - command->options] = true;
    if (option->kind == CLI_STRINGS)
        return assign_strings(command, option, text, words);
    if (!value && option->kind == CLI_FLAG)
        value = "true";
    if (!value && words->next < words->num && is_value(words->items[words->next]))
        value = words->items[words->next++];
    if (!value)
        value = option->implicit_text;
    if (!value) {
        print_error(command, "option '--%s' needs a value", option->name);
        return CLI_ERROR;
    }
    snprintf(origin, sizeof origin, "option '--%s'", option->name);
    return assign(command, option, origin, value);
}

static enum cli_result read_long(const struct cli_command *command, char *word,
                                 struct words *words) {
    char *equals = strchr(word, '=');
    size_t name_chars = equals ? (size_t)(equals - word) : strlen(word);
    const struct cli_option *option = find_long(command, word, name_chars);
    if (!option) {
        print_unknown(command, word, name_chars);
        return CLI_ERROR;
    }
    return read_option(command, option, equals ? equals + 1 : NULL, words);
}

static enum cli_result read_short(const struct cli_command *command, char *word,
                                  struct words *words) {
    const struct cli_option *option = find_short(command, word[0]);
    if (!option) {
        print_error(command, "unknown option '-%c'; '%s --help' lists all", word[0], command->name);
        return CLI_ERROR;
    }
    if (word[1] && option->kind == CLI_FLAG) {
        print_error(command, "option '-%c' takes no value, and '-%s' gives one", word[0], word);
        return CLI_ERROR;
    }
    return read_option(command, option, word[1] ? word + 1 : NULL, words);
}

// Sets the next operand.
static enum cli_result read_operand(const struct cli_command *command, const char *word) {
    for (const struct cli_option *o = command->options; o->is_operand; o++) {
        bool *given = &command->given[o - command->options];
        if (*given)
            continue;
        *given = true;
        return assign(command, o, o->name, word);
    }
    print_error(command, "unexpected word '%s'; '%s --help' lists the options", word,
                command->name);
    return CLI_ERROR;
}

static enum cli_result read_words(const struct cli_command *command, struct words *words) {
    while (words->next < words->num) {
        char *word = words->items[words->next++];
        enum cli_result result;
        if (!strcmp(word, "-h") || !strcmp(word, "--help")) {
            cli_print_help(command, command->out ? command->out : stdout);
            return CLI_HELP;
        }
        if (word[0] != '-' || !word[1])
            result = read_operand(command, word);
        else
            result = word[1] == '-' ? read_long(command, word + 2, words)
                                    : read_short(command, word + 1, words);
        if (result != CLI_OK)
            return result;
    }
    return CLI_OK;
}

static enum cli_result set_defaults(const struct cli_command *command) {
    for (const struct cli_option *o = command->options; o->name; o++) {
        const char *text = o->env ? getenv(o->env) : NULL;
        bool from_env = text && *text;
        command->given[o - command->options] = from_env;
        if (!from_env)
            text = o->default_text;
        if (text && assign(command, o, from_env ? o->env : o->name, text) != CLI_OK)
            return CLI_ERROR;
    }
    return CLI_OK;
}

enum cli_result cli_assign(const struct cli_command *command, const char *origin, const char *name,
                           char **items, size_t num_items) {
    char prefix[768];
    struct cli_command named = *command;
    struct words words = {items, (int)num_items, 0};
    snprintf(prefix, sizeof prefix, "%s: %s", command->name, origin);
    named.name = prefix;
    const struct cli_option *option = find_long(command, name, strlen(name));
    if (!option) {
        print_unknown(&named, name, strlen(name));
        return CLI_ERROR;
    }
    if (option->is_about_files) {
        print_error(&named, "option '--%s' cannot stand in an option file", name);
        return CLI_ERROR;
    }
    if (option->kind == CLI_STRINGS) {
        command->given[option - command->options] = true;
        *(struct cli_strings *)((char *)command->values + option->offset) =
            (struct cli_strings){items, num_items};
        return CLI_OK;
    }
    if (num_items > 1) {
        print_error(&named, "option '--%s' takes one value, and the list has %zu", name, num_items);
        return CLI_ERROR;
    }
    return read_option(&named, option, words.items[0], &words);
}

// Reads the option files that argv names. Their options come after the defaults.
static enum cli_result read_files(const struct cli_command *command, int argc, char **argv) {
    char **items = malloc((size_t)argc * sizeof *items);
    if (!items)
        return CLI_ERROR;
    memcpy(items, argv, (size_t)argc * sizeof *items);
    struct words words = {items, argc, 1};
    enum cli_result result = read_words(command, &words);
    struct cli_strings paths = {0};
    for (const struct cli_option *o = command->options; result == CLI_OK && o->name; o++)
        if (o->is_about_files && o->kind == CLI_STRINGS)
            paths = *(struct cli_strings *)((char *)command->values + o->offset);
    if (result == CLI_OK)
        result = set_defaults(command);
    for (size_t i = 0; result == CLI_OK && i < paths.num; i++)
        result = cli_option_file_read(command, paths.items[i]);
    free(items);
    return result;
}

enum cli_result cli_parse(const struct cli_command *command, int argc, char **argv) {
    struct words words = {argv, argc, 1};
    enum cli_result result = set_defaults(command);
    if (result == CLI_OK && command->texts)
        result = read_files(command, argc, argv);
    if (result == CLI_OK)
        result = read_words(command, &words);
    if (result != CLI_OK)
        return result;
    for (const struct cli_option *o = command->options; o->name; o++)
        if (o->required && !command->given[o - command->options]) {
            print_error(command,
                        o->is_operand ? "%s is missing; '%s --help' explains it"
                                      : "option '--%s' is required; '%s --help' explains it",
                        o->name, command->name);
            return CLI_ERROR;
        }
    return CLI_OK;
}

// Help

// Prints text after a blank, or on a new line that begins at HELP_TEXT_COLUMN where it does not
// fit.
static void print_unbroken(FILE *file, const char *text, size_t num_chars, int *column) {
    if (*column > HELP_TEXT_COLUMN && (size_t)*column + 1 + num_chars > HELP_COLUMNS) {
        fprintf(file, "\n%*s", HELP_TEXT_COLUMN, "");
        *column = HELP_TEXT_COLUMN;
    }
    if (*column > HELP_TEXT_COLUMN)
        *column += fprintf(file, " ");
    *column += fprintf(file, "%.*s", (int)num_chars, text);
}

static void print_words(FILE *file, const char *text, int *column) {
    while (*text) {
        size_t num_chars = strcspn(text, " ");
        print_unbroken(file, text, num_chars, column);
        text += num_chars;
        text += strspn(text, " ");
    }
}

static void print_note(FILE *file, const char *label, const char *value, int *column) {
    char note[HELP_COLUMNS - HELP_TEXT_COLUMN];
    snprintf(note, sizeof note, "(%s: %s)", label, value);
    print_unbroken(file, note, strlen(note), column);
}

static const char *value_name(const struct cli_option *option) {
    static const char *const names[] = {
        [CLI_FLAG] = NULL,     [CLI_U32] = "N",         [CLI_U64] = "N",
        [CLI_FLOAT] = "X",     [CLI_STRING] = "TEXT",   [CLI_STRINGS] = "TEXT...",
        [CLI_CHOICE] = "NAME", [CLI_DURATION] = "TIME", [CLI_LIMIT] = "LIMIT",
    };
    return option->value_name ? option->value_name : names[option->kind];
}

static void print_label(FILE *file, const struct cli_option *option, int *column) {
    const char *name = value_name(option);
    *column = option->is_operand   ? fprintf(file, "  %s", option->name)
              : option->short_name ? fprintf(file, "  -%c, --%s", option->short_name, option->name)
                                   : fprintf(file, "      --%s", option->name);
    if (name && !option->is_operand)
        *column += fprintf(file, option->implicit_text ? " [%s]" : " %s", name);
    if (*column + 2 > HELP_TEXT_COLUMN) {
        fputc('\n', file);
        *column = 0;
    }
    *column += fprintf(file, "%*s", HELP_TEXT_COLUMN - *column, "");
}

static void print_option(FILE *file, const struct cli_option *option) {
    char choice_text[64];
    int column;
    print_label(file, option, &column);
    print_words(file, option->help, &column);
    if (option->choices) {
        print_words(file, "One of:", &column);
        for (const char *const *choice = option->choices; *choice; choice++) {
            snprintf(choice_text, sizeof choice_text, "%s%s", *choice, choice[1] ? "," : ".");
            print_words(file, choice_text, &column);
        }
    }
    if (option->required && !option->is_operand)
        print_unbroken(file, "(required)", strlen("(required)"), &column);
    if (option->default_text && *option->default_text && option->kind != CLI_FLAG)
        print_note(file, "default", option->default_text, &column);
    if (option->implicit_text)
        print_note(file, "without a value", option->implicit_text, &column);
    if (option->env)
        print_note(file, "environment", option->env, &column);
    fputc('\n', file);
}

void cli_print_help(const struct cli_command *command, FILE *file) {
    int column = HELP_TEXT_COLUMN;
    fprintf(file, "Usage: %s [OPTIONS]", command->name);
    for (const struct cli_option *o = command->options; o->is_operand; o++)
        fprintf(file, " %s", o->name);
    fputc('\n', file);
    if (command->summary)
        fprintf(file, "%s\n", command->summary);
    for (const struct cli_option *o = command->options; o->name; o++) {
        if (o->group)
            fprintf(file, "\n%s:\n", o->group);
        print_option(file, o);
    }
    fprintf(file, "\n  -h, --help%*s", HELP_TEXT_COLUMN - 12, "");
    print_words(file, "Print this and end.", &column);
    fputc('\n', file);
}
