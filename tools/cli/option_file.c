#include "option_file.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { MAX_VALUES = 64, MAX_TEXT = 64 };

// Reading

struct reader {
    const struct cli_command *command;
    const char *path;
    yaml_parser_t parser;
};

static enum cli_result fail(const struct reader *reader, size_t line, const char *what) {
    FILE *file = reader->command->err ? reader->command->err : stderr;
    fprintf(file, "%s: %s, line %zu: %s\n", reader->command->name, reader->path, line + 1, what);
    return CLI_ERROR;
}

// The next event, which the caller deletes.
static enum cli_result next_event(struct reader *reader, yaml_event_t *event) {
    if (yaml_parser_parse(&reader->parser, event))
        return CLI_OK;
    const char *problem = reader->parser.problem ? reader->parser.problem : "it cannot be read";
    return fail(reader, reader->parser.problem_mark.line, problem);
}

static char *keep_text(const struct reader *reader, const yaml_event_t *event) {
    const char *text = (const char *)event->data.scalar.value;
    return cli_texts_keep(reader->command->texts, text, strlen(text) + 1);
}

static bool looks_null(const char *text) {
    return !*text || !strcmp(text, "~") || !strcmp(text, "null");
}

static bool is_null(const yaml_event_t *event) {
    const char *text = (const char *)event->data.scalar.value;
    return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && looks_null(text);
}

struct values {
    char *items[MAX_VALUES];
    size_t num;
};

// One value, or a list of them: event is where it begins.
static enum cli_result read_values(struct reader *reader, yaml_event_t *event,
                                   struct values *values) {
    enum cli_result result = CLI_OK;
    bool is_list = event->type == YAML_SEQUENCE_START_EVENT;
    if (is_list) {
        yaml_event_delete(event);
        result = next_event(reader, event);
    }
    while (result == CLI_OK && event->type != YAML_SEQUENCE_END_EVENT) {
        size_t line = event->start_mark.line;
        if (event->type != YAML_SCALAR_EVENT)
            return fail(reader, line, "expected a value or a list of values");
        if (values->num == MAX_VALUES)
            return fail(reader, line, "the list is too long");
        if (!is_null(event)) {
            values->items[values->num] = keep_text(reader, event);
            if (!values->items[values->num++])
                return fail(reader, line, "out of memory");
        }
        if (!is_list)
            break;
        yaml_event_delete(event);
        result = next_event(reader, event);
    }
    return result;
}

// A name and its value; event is the name.
static enum cli_result read_entry(struct reader *reader, yaml_event_t *event) {
    struct values values = {.num = 0};
    size_t line = event->start_mark.line;
    char origin[512];
    if (event->type != YAML_SCALAR_EVENT)
        return fail(reader, line, "expected the name of an option");
    snprintf(origin, sizeof origin, "%s, line %zu", reader->path, line + 1);
    const char *name = keep_text(reader, event);
    if (!name)
        return fail(reader, line, "out of memory");
    yaml_event_delete(event);
    enum cli_result result = next_event(reader, event);
    if (result == CLI_OK)
        result = read_values(reader, event, &values);
    if (result != CLI_OK || values.num == 0)
        return result;
    char **items = cli_texts_keep(reader->command->texts, values.items, values.num * sizeof *items);
    if (!items)
        return fail(reader, line, "out of memory");
    return cli_assign(reader->command, origin, name, items, values.num);
}

static enum cli_result read_document(struct reader *reader) {
    bool in_mapping = false;
    for (;;) {
        yaml_event_t event;
        enum cli_result result = next_event(reader, &event);
        if (result != CLI_OK)
            return result;
        yaml_event_type_t type = event.type;
        if (type == YAML_STREAM_END_EVENT) {
            yaml_event_delete(&event);
            return CLI_OK;
        }
        if (in_mapping && type == YAML_MAPPING_END_EVENT)
            in_mapping = false;
        else if (in_mapping)
            result = read_entry(reader, &event);
        else if (type == YAML_MAPPING_START_EVENT)
            in_mapping = true;
        else if (type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT)
            result = fail(reader, event.start_mark.line, "expected lines of the form NAME: VALUE");
        yaml_event_delete(&event);
        if (result != CLI_OK)
            return result;
    }
}

enum cli_result cli_option_file_read(const struct cli_command *command, const char *path) {
    struct reader reader = {.command = command, .path = path};
    FILE *err = command->err ? command->err : stderr;
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(err, "%s: %s: %s\n", command->name, path, strerror(errno));
        return CLI_ERROR;
    }
    enum cli_result result = CLI_ERROR;
    if (yaml_parser_initialize(&reader.parser)) {
        yaml_parser_set_input_file(&reader.parser, file);
        result = read_document(&reader);
        yaml_parser_delete(&reader.parser);
    }
    fclose(file);
    return result;
}

// Writing

// The number in the fewest digits that read back as it.
static void print_float(float value, char text[MAX_TEXT]) {
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, MAX_TEXT, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value)
            return;
    }
}

// A single value as it would be typed; "" when there is none.
static const char *value_text(const struct cli_option *option, const void *value,
                              char text[MAX_TEXT]) {
    const struct cli_limit *limit = value;
    text[0] = '\0';
    switch (option->kind) {
    case CLI_FLAG:
        return *(const bool *)value ? "true" : "false";
    case CLI_U32:
        snprintf(text, MAX_TEXT, "%lu", (unsigned long)*(const uint32_t *)value);
        break;
    case CLI_U64:
        snprintf(text, MAX_TEXT, "%llu", (unsigned long long)*(const uint64_t *)value);
        break;
    case CLI_FLOAT:
        print_float(*(const float *)value, text);
        break;
    case CLI_STRING:
    case CLI_CHOICE:
        return *(const char *const *)value ? *(const char *const *)value : "";
    case CLI_DURATION:
        if (*(const double *)value > 0)
            snprintf(text, MAX_TEXT, "%.17gs", *(const double *)value);
        break;
    case CLI_LIMIT:
        if (limit->num)
            snprintf(text, MAX_TEXT, "%llu%c", (unsigned long long)limit->num, "uet"[limit->unit]);
        break;
    case CLI_STRINGS:
        break;
    }
    return text;
}

static bool emit_text(yaml_emitter_t *emitter, const char *text) {
    yaml_event_t event;
    yaml_scalar_style_t style =
        looks_null(text) ? YAML_SINGLE_QUOTED_SCALAR_STYLE : YAML_ANY_SCALAR_STYLE;
    return yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text,
                                        (int)strlen(text), 1, 1, style) &&
           yaml_emitter_emit(emitter, &event);
}

static bool emit_list(yaml_emitter_t *emitter, const struct cli_strings *strings) {
    yaml_event_t event;
    bool ok =
        yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE) &&
        yaml_emitter_emit(emitter, &event);
    for (size_t i = 0; ok && i < strings->num; i++)
        ok = emit_text(emitter, strings->items[i]);
    return ok && yaml_sequence_end_event_initialize(&event) && yaml_emitter_emit(emitter, &event);
}

static bool emit_option(yaml_emitter_t *emitter, const struct cli_option *option, const void *value,
                        bool is_given) {
    char text[MAX_TEXT];
    if (option->kind == CLI_STRINGS) {
        const struct cli_strings *strings = value;
        return strings->num == 0 ||
               (emit_text(emitter, option->name) && emit_list(emitter, strings));
    }
    const char *shown = value_text(option, value, text);
    if (!*shown && !is_given)
        return true;
    return emit_text(emitter, option->name) && emit_text(emitter, shown);
}

static bool emit_options(yaml_emitter_t *emitter, const struct cli_command *command, bool all) {
    for (const struct cli_option *o = command->options; o->name; o++) {
        bool is_given = command->given[o - command->options];
        if (o->is_about_files || (!is_given && (!all || o->has_other_source)))
            continue;
        if (!emit_option(emitter, o, (const char *)command->values + o->offset, is_given))
            return false;
    }
    return true;
}

bool cli_option_file_write(const struct cli_command *command, bool all, FILE *file) {
    yaml_emitter_t emitter;
    yaml_event_t event;
    if (!yaml_emitter_initialize(&emitter))
        return false;
    yaml_emitter_set_output_file(&emitter, file);
    yaml_emitter_set_unicode(&emitter, 1);
    bool ok =
        yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING) &&
        yaml_emitter_emit(&emitter, &event) &&
        yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1) &&
        yaml_emitter_emit(&emitter, &event) &&
        yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE) &&
        yaml_emitter_emit(&emitter, &event) && emit_options(&emitter, command, all) &&
        yaml_mapping_end_event_initialize(&event) && yaml_emitter_emit(&emitter, &event) &&
        yaml_document_end_event_initialize(&event, 1) && yaml_emitter_emit(&emitter, &event) &&
        yaml_stream_end_event_initialize(&event) && yaml_emitter_emit(&emitter, &event);
    yaml_emitter_delete(&emitter);
    return ok && fflush(file) == 0;
}
