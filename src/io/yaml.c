#include "io/yaml.h"

#include "base/check.h"
#include "base/log.h"
#include "io/files.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { MAX_FILE_BYTES = 1 << 28 };

struct reader {
    yaml_parser_t parser;
    const char *name;
    const struct vks_log *log;
    struct arena *arena;
    uint32_t num_nodes;
};

static enum vks_status fail(const struct reader *reader, size_t line, const char *what) {
    log_error(reader->log, "%s, line %zu: %s", reader->name, line + 1, what);
    return VKS_ERR_FORMAT;
}

static enum vks_status memory_error(const struct reader *reader) {
    log_error(reader->log, "%s: out of memory", reader->name);
    return VKS_ERR_OOM;
}

// The next event, which the caller deletes.
static enum vks_status next_event(struct reader *reader, yaml_event_t *event) {
    const yaml_parser_t *parser = &reader->parser;
    if (yaml_parser_parse(&reader->parser, event))
        return VKS_OK;
    if (parser->error == YAML_MEMORY_ERROR)
        return memory_error(reader);
    size_t line = parser->problem_mark.line;
    return fail(reader, line, parser->problem ? parser->problem : "it is no YAML");
}

static const char *anchor_of(const yaml_event_t *event) {
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return (const char *)event->data.alias.anchor;
    case YAML_SCALAR_EVENT:
        return (const char *)event->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return (const char *)event->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT:
        return (const char *)event->data.mapping_start.anchor;
    default:
        return NULL;
    }
}

static enum vks_status copy_text(struct reader *reader, const yaml_event_t *event,
                                 const char **text) {
    const char *value = (const char *)event->data.scalar.value;
    if (strlen(value) != event->data.scalar.length)
        return fail(reader, event->start_mark.line, "a text has a NUL byte");
    *text = arena_strdup(reader->arena, value);
    return *text ? VKS_OK : memory_error(reader);
}

// Begins a node where the event does; the event's kind is known.
static enum vks_status begin_node(struct reader *reader, const yaml_event_t *event,
                                  struct yaml_node **result) {
    if (anchor_of(event))
        return fail(reader, event->start_mark.line, "anchors and aliases are not supported");
    if (++reader->num_nodes > YAML_MAX_NODES)
        return fail(reader, event->start_mark.line, "there are too many values");
    struct yaml_node *node = ARENA_NEW(reader->arena, struct yaml_node, 1);
    if (!node)
        return memory_error(reader);
    node->kind = event->type == YAML_SCALAR_EVENT           ? YAML_TEXT
                 : event->type == YAML_SEQUENCE_START_EVENT ? YAML_LIST
                                                            : YAML_MAP;
    node->line = (uint32_t)event->start_mark.line + 1;
    if (node->kind == YAML_TEXT)
        TRY(copy_text(reader, event, &node->text));
    *result = node;
    return VKS_OK;
}

// A list or a map under way.
struct level {
    struct yaml_node *node, *last;
    const char *key; // of the next item of a map; NULL: the key comes next
};

// Takes an event of a document's content; *depth levels are under way.
static enum vks_status take(struct reader *reader, const yaml_event_t *event,
                            struct level levels[YAML_MAX_DEPTH], uint32_t *depth) {
    if (event->type == YAML_SEQUENCE_END_EVENT || event->type == YAML_MAPPING_END_EVENT) {
        --*depth;
        return VKS_OK;
    }
    struct level *level = &levels[*depth - 1];
    if (level->node->kind == YAML_MAP && !level->key) {
        if (event->type != YAML_SCALAR_EVENT || anchor_of(event))
            return fail(reader, event->start_mark.line, "a key is no plain text");
        return copy_text(reader, event, &level->key);
    }
    struct yaml_node *node;
    TRY(begin_node(reader, event, &node));
    node->key = level->key;
    level->key = NULL;
    *(level->last ? &level->last->next : &level->node->first) = node;
    level->last = node;
    if (node->kind == YAML_TEXT)
        return VKS_OK;
    if (*depth == YAML_MAX_DEPTH)
        return fail(reader, event->start_mark.line, "it is nested too deeply");
    levels[(*depth)++] = (struct level){.node = node};
    return VKS_OK;
}

// The events of the whole stream.
static enum vks_status read_stream(struct reader *reader, struct yaml_node *outer) {
    struct level levels[YAML_MAX_DEPTH] = {{.node = outer}};
    uint32_t depth = 1;
    for (bool is_over = false; !is_over;) {
        yaml_event_t event;
        enum vks_status status = VKS_OK;
        TRY(next_event(reader, &event));
        is_over = event.type == YAML_STREAM_END_EVENT;
        if (event.type == YAML_DOCUMENT_START_EVENT && outer->first)
            status = fail(reader, event.start_mark.line, "there is a second document");
        else if (event.type != YAML_STREAM_START_EVENT && !is_over &&
                 event.type != YAML_DOCUMENT_START_EVENT && event.type != YAML_DOCUMENT_END_EVENT)
            status = take(reader, &event, levels, &depth);
        yaml_event_delete(&event);
        TRY(status);
    }
    return VKS_OK;
}

enum vks_status yaml_parse(const char *text, size_t num_bytes, const char *name,
                           const struct vks_log *log, struct arena *arena,
                           struct yaml_node **root) {
    struct reader reader = {.name = name, .log = log, .arena = arena};
    // The stream's documents are a list.
    struct yaml_node outer = {.kind = YAML_LIST};
    if (!yaml_parser_initialize(&reader.parser))
        return memory_error(&reader);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, num_bytes);
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    enum vks_status status = read_stream(&reader, &outer);
    yaml_parser_delete(&reader.parser);
    TRY(status);
    if (!outer.first) {
        outer.first = ARENA_NEW(arena, struct yaml_node, 1);
        if (!outer.first)
            return memory_error(&reader);
        outer.first->kind = YAML_MAP;
        outer.first->line = 1;
    }
    *root = outer.first;
    return VKS_OK;
}

enum vks_status yaml_read(const char *path, const struct vks_log *log, struct arena *arena,
                          struct yaml_node **root) {
    unsigned char *text;
    size_t num_bytes;
    TRY(file_read(path, MAX_FILE_BYTES, log, &text, &num_bytes));
    enum vks_status status = yaml_parse((const char *)text, num_bytes, path, log, arena, root);
    free(text);
    return status;
}

const struct yaml_node *yaml_find(const struct yaml_node *map, const char *key) {
    if (!map || map->kind != YAML_MAP)
        return NULL;
    for (const struct yaml_node *node = map->first; node; node = node->next)
        if (strcmp(node->key, key) == 0)
            return node;
    return NULL;
}
